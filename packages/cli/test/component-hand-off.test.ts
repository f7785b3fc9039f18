import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ClusterNode, startNode } from "@coppice/cluster";
import {
  buildTextComponent,
  component,
  type ComponentSpec,
  useComponentThreads,
} from "@coppice/component";
import {
  type LogFields,
  type Logger,
  silentLogger,
  systemClock,
  systemRandom,
} from "@coppice/kernel";
import { MemoryNetwork, MemoryStore } from "@coppice/net";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";

/** Counts in a global and in its memory, may hold a handle, and may wait for the host. */
const text = `(component
  (import "wait" (func $wait))
  (import "wasi:io/streams@0.2.0" (instance $streams (export "output-stream" (type (sub resource)))))
  (alias export $streams "output-stream" (type $stream))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout (alias outer 1 $stream (type $s))
    (export "output-stream" (type $t (eq $s))) (export "get-stdout" (func (result (own $t))))))
  (core func $get (canon lower (func $stdout "get-stdout")))
  (core func $wait-core (canon lower (func $wait)))
  (core module $m
    (import "h" "get" (func $get (result i32))) (import "h" "wait" (func $wait))
    (memory 1 40) (global $count (mut i32) (i32.const 0))
    (func (export "bump") (result i32)
      (global.set $count (i32.add (global.get $count) (i32.const 1)))
      (i32.store (i32.const 4096) (i32.add (i32.load (i32.const 4096)) (i32.const 10)))
      (i32.add (global.get $count) (i32.load (i32.const 4096))))
    (func (export "fill") (param $bytes i32) (local $at i32)
      (loop $l
        (i32.store (local.get $at) (i32.mul (local.get $at) (i32.const -1640531527)))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))
        (br_if $l (i32.lt_u (local.get $at) (local.get $bytes)))))
    (func (export "hold") (drop (call $get)))
    (func (export "pause") (call $wait)))
  (core instance $i (instantiate $m (with "h" (instance (export "get" (func $get)) (export "wait" (func $wait-core))))))
  (func (export "bump") (result u32) (canon lift (core func $i "bump")))
  (func (export "fill") (param "bytes" u32) (canon lift (core func $i "fill")))
  (func (export "hold") (canon lift (core func $i "hold")))
  (func (export "pause") (canon lift (core func $i "pause"))))`;

let folder: string;
let path: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "coppice-hand-off-"));
  const source = join(folder, "counter.wat");
  await writeFile(source, text);
  path = await buildTextComponent({ source, cacheDir: folder, logger: silentLogger });
});

afterAll(() => rm(folder, { recursive: true }));

interface TestNode {
  readonly node: ClusterNode;
  readonly logs: LogFields[];
}

/** Two nodes of one cluster that both have the component; the first runs it. */
async function two(threads: number, changes: Partial<ComponentSpec> = {}): Promise<TestNode[]> {
  const network = new MemoryNetwork({ clock: systemClock });
  const store = new MemoryStore({ clock: systemClock });
  const nodes: TestNode[] = [];
  for (const name of ["a", "b"]) {
    const logs: LogFields[] = [];
    const keep = (fields: LogFields): void => void logs.push(fields);
    const logger: Logger = { debug: keep, info: keep, warn: keep, error: keep };
    const transport = network.connect();
    const machine = { clock: systemClock, random: systemRandom, osPid: 1 };
    const node = await startNode({ name, cluster: "test", transport, store, logger, ...machine });
    const endThreads = useComponentThreads(node.kernel, threads);
    onTestFinished(async () => {
      await node.stop();
      await endThreads();
    });
    const own = { id: "counter", name: "counter", path, cacheDir: folder };
    const imports = { wait: () => {} };
    await node.start({
      strategy: "one_for_one",
      children: [component({ ...own, imports, ...changes })],
    });
    nodes.push({ node, logs });
  }
  await expect.poll(() => nodes[1]!.node.whereis("counter")?.node).toBe("a");
  return nodes;
}

describe.for([0, 1])("a component on a node with %i threads for components", (threads) => {
  test("takes its state along when its node is drained, and its calls are answered throughout", async () => {
    const [a, b] = (await two(threads)) as [TestNode, TestNode];
    expect(await a.node.call("counter", "bump", [])).toBe(11);
    expect(await b.node.call("counter", "bump", [])).toBe(22);
    const during = Promise.all(
      Array.from({ length: 20 }, () => b.node.call("counter", "bump", [])),
    );
    expect(await a.node.drain()).toEqual({ handedOver: ["counter"], kept: [] });
    const answers = (await during) as number[];
    expect(answers.toSorted((x, y) => x - y)).toEqual(
      Array.from({ length: 20 }, (_, index) => 33 + 11 * index),
    );
    await expect.poll(() => b.node.whereis("counter")?.node).toBe("b");
    expect(await a.node.call("counter", "bump", [])).toBe(11 * 23);
  });

  test("starts anew when it holds a resource, and the log says so", async () => {
    const [a, b] = (await two(threads)) as [TestNode, TestNode];
    await a.node.call("counter", "bump", []);
    await a.node.call("counter", "hold", []);
    expect(await a.node.drain()).toEqual({ handedOver: ["counter"], kept: [] });
    expect(await b.node.call("counter", "bump", [])).toBe(11);
    expect(a.logs).toContainEqual(
      expect.objectContaining({ event: "state_not_saved", code: "snapshot_refused" }),
    );
  });

  test("starts anew when its snapshot is larger than it may be", async () => {
    const [a, b] = (await two(threads, { limits: { snapshotBytes: 2_000 } })) as [
      TestNode,
      TestNode,
    ];
    await a.node.call("counter", "fill", [65_536]);
    expect(await a.node.drain()).toEqual({ handedOver: ["counter"], kept: [] });
    expect(await b.node.call("counter", "bump", [])).toBe(11);
    expect(a.logs).toContainEqual(
      expect.objectContaining({ event: "state_not_saved", code: "snapshot_too_large" }),
    );
  });

  test("finishes the call it is in before it moves", async () => {
    const waiting = Promise.withResolvers<undefined>();
    const entered = Promise.withResolvers<undefined>();
    const wait = (): Promise<undefined> => {
      entered.resolve(undefined);
      return waiting.promise;
    };
    const [a, b] = (await two(threads, { imports: { wait } })) as [TestNode, TestNode];
    await a.node.call("counter", "bump", []);
    const call = a.node.call("counter", "pause", []);
    await entered.promise;
    const drained = a.node.drain();
    waiting.resolve(undefined);
    expect(await call).toBeUndefined();
    expect((await drained).handedOver).toEqual(["counter"]);
    expect(await b.node.call("counter", "bump", [])).toBe(22);
  });
});
