import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inspect } from "node:util";
import {
  component,
  componentSchedulers,
  type ComponentSpec,
  CpuLimitError,
  TrapError,
  useComponentThreads,
  WitError,
} from "@coppice/component";
import { type CallError, type Kernel, silentLogger } from "@coppice/kernel";
import { type ChildSpec, startSupervisor } from "@coppice/otp";
import { beforeAll, describe, expect, test } from "vitest";
import { errorFromData, errorToData } from "../src/scheduler/error-data.ts";
import { cacheDir } from "./chat-room.ts";
import { watFixture } from "./components/fixtures.ts";
import { buildGuest } from "./guests.ts";
import { newKernel } from "./kernel.ts";
import { buildC, noClang } from "./wasi-guests.ts";
import { temporaryFolder } from "./wasi-run.ts";

let built: Awaited<ReturnType<typeof buildGuest>>;
let hungry: Awaited<ReturnType<typeof buildGuest>>;

beforeAll(async () => {
  built = await buildGuest();
  // Tables live on the thread's own heap.
  const tables = Array.from({ length: 60 }, (_, index) => index);
  hungry = await buildGuest(`(component (core module $m
    ${tables.map((index) => `(table $t${index} 0 externref)`).join(" ")}
    (func (export "eat") ${tables.map((index) => `(drop (table.grow $t${index} (ref.null extern) (i32.const 900000)))`).join(" ")})
    (func (export "ok") (result i32) (i32.const 1)))
    (core instance $i (instantiate $m))
    (func (export "eat") (canon lift (core func $i "eat")))
    (func (export "ok") (result u32) (canon lift (core func $i "ok"))))`);
});

async function start(
  children: readonly ChildSpec[],
  threads = 1,
  heapMiBMax = 256,
  logger = silentLogger,
): Promise<Kernel> {
  const kernel = newKernel(logger);
  const pool = componentSchedulers({ id: "pool", name: "pool", threads, heapMiBMax });
  const all = [pool, ...children];
  const options = { strategy: "one_for_one", maxRestarts: 10, children: all } as const;
  const started = await startSupervisor(kernel, options);
  expect(started).toMatchObject({ pid: expect.anything() as unknown });
  return kernel;
}

function guest(id: string, changes: Partial<ComponentSpec> = {}): ChildSpec {
  const imports = { pause: () => {}, answer: () => 42 };
  return component({ id, name: id, ...built, imports, ...changes });
}

/** How many instances each thread runs. */
function perThread(kernel: Kernel): unknown {
  return kernel.info(kernel.whereis("pool")!)?.details?.["instances"];
}

describe("components on scheduler threads", () => {
  test("answer, call the host, and keep their state", async () => {
    const asked: string[] = [];
    const answer = async (): Promise<number> => {
      asked.push("answer");
      return Promise.resolve(7);
    };
    const kernel = await start([guest("a", { imports: { pause: () => {}, answer } })]);
    expect(await kernel.call("a", "ask", [])).toBe(7);
    expect(asked).toEqual(["answer"]);
    const bumps = await Promise.all([1, 2, 3].map(() => kernel.call("a", "bump", [])));
    expect(bumps).toEqual([1, 2, 3]);
    expect(perThread(kernel)).toEqual([1]);
  });

  test("fail with the same errors as on the node's thread", async () => {
    const kernel = await start([guest("pool"), guest("node", { placement: "node" })].slice(1));
    await startSupervisor(kernel, { strategy: "one_for_one", children: [guest("thread")] });
    const failures = async (name: string): Promise<unknown[]> => {
      const calls = [
        ["add", [1]],
        ["add", [1, "x"]],
        ["nothing", []],
        ["boom", []],
      ] as const;
      const found: unknown[] = [];
      for (const [method, args] of calls) {
        const failed = await kernel.call(name, method, args).catch((thrown: unknown) => thrown);
        const { code, executed, message } = failed as CallError;
        found.push({ code, executed, message: message.replaceAll(name, "it") });
      }
      return found;
    };
    expect(await failures("thread")).toEqual(await failures("node"));
  });

  test("a host function that throws is a crash of the process, and it comes back", async () => {
    const answer = (): number => {
      throw new Error("the host failed");
    };
    const kernel = await start([guest("a", { imports: { pause: () => {}, answer } })]);
    await expect(kernel.call("a", "ask", [])).rejects.toThrow(/the host failed/);
    await expect.poll(() => kernel.call("a", "bump", []).catch(() => undefined)).toBe(1);
  });

  test("an infinite loop is stopped there, and neighbours on the thread answer", async () => {
    const kernel = await start([guest("loops", { limits: { cpuMsPerCall: 50 } }), guest("works")]);
    const loop = kernel.call("loops", "spin", []).catch((thrown: unknown) => thrown);
    expect(await kernel.call("works", "add", [1, 2])).toBe(3);
    expect(String(await loop)).toMatch(/stopped after 50 ms of processor time/);
    await expect.poll(() => kernel.call("loops", "bump", []).catch(() => undefined)).toBe(1);
    expect(perThread(kernel)).toEqual([2]);
  });

  test("spread over the threads; a component may stay on the node's own", async () => {
    const kernel = await start(
      [guest("a"), guest("b"), guest("c"), guest("d", { placement: "node" })],
      2,
    );
    expect((perThread(kernel) as number[]).toSorted((a, b) => a - b)).toEqual([1, 2]);
    expect(await kernel.call("d", "add", [1, 1])).toBe(2);
  });

  test("a thread that runs out of memory takes only its own components, which come back", async () => {
    const kernel = await start(
      [guest("first"), component({ id: "eats", name: "eats", ...hungry }), guest("beside")],
      2,
      48,
    );
    const [before] = [kernel.whereis("first")];
    await expect(kernel.call("eats", "eat", [], { timeoutMs: 60_000 })).rejects.toThrow(
      /the scheduler thread ended/,
    );
    await expect.poll(() => kernel.call("eats", "ok", []).catch(() => undefined)).toBe(1);
    expect(await kernel.call("first", "bump", [])).toBe(1);
    expect(before).toBeDefined();
  });

  test("end with the pool", async () => {
    const kernel = await start([guest("a")]);
    const pid = kernel.whereis("a")!;
    const ended = Promise.withResolvers<unknown>();
    kernel.monitor(pid, (reason) => ended.resolve(reason));
    const pool = kernel.whereis("pool")!;
    kernel.exit(pool, { type: "kill" });
    expect(JSON.stringify(await ended.promise)).toMatch(/scheduler thread ended/);
  });
});

describe("the threads a node has by itself", () => {
  /** How many instances run on each thread of each pool. */
  const pools = (kernel: Kernel): unknown[] =>
    kernel
      .processes()
      .filter(({ kind }) => kind === "component-schedulers")
      .map(({ details }) => details?.["instances"]);

  async function startOn(kernel: Kernel, ...children: readonly ChildSpec[]): Promise<void> {
    const options = { strategy: "one_for_one", maxRestarts: 10, children } as const;
    expect(await startSupervisor(kernel, options)).toMatchObject({ type: "started" });
  }

  test("are started with the first component that uses them, once, and end with the node", async () => {
    const kernel = newKernel();
    const end = useComponentThreads(kernel, 2);
    await startOn(kernel, guest("stays", { placement: "node" }));
    expect(pools(kernel)).toEqual([]);
    await Promise.all([startOn(kernel, guest("a")), startOn(kernel, guest("b"))]);
    expect(pools(kernel)).toEqual([[1, 1]]);
    expect(await kernel.call("a", "add", [1, 2])).toBe(3);
    await end();
    await expect.poll(() => pools(kernel)).toEqual([]);
    // Nothing starts them again: what is restarted runs on the node's thread.
    await expect.poll(() => kernel.call("a", "bump", []).catch(() => undefined)).toBe(1);
    expect(pools(kernel)).toEqual([]);
  });

  test("that were killed are started again, and their components come back there", async () => {
    const kernel = newKernel();
    useComponentThreads(kernel, 1);
    await startOn(kernel, guest("a"));
    const pool = kernel.processes().find(({ kind }) => kind === "component-schedulers");
    kernel.exit(pool!.pid, { type: "kill" });
    await expect.poll(() => kernel.call("a", "bump", []).catch(() => undefined)).toBe(1);
    expect(pools(kernel)).toEqual([[1]]);
  });

  test("are not used where there is a pool by hand, or none are wanted", async () => {
    const kernel = newKernel();
    useComponentThreads(kernel, 1);
    await startOn(kernel, componentSchedulers({ id: "pool", threads: 1 }), guest("a"));
    expect(pools(kernel)).toEqual([[1]]);
    const without = newKernel();
    useComponentThreads(without, 0);
    await startOn(without, guest("a"));
    expect(pools(without)).toEqual([]);
    expect(await without.call("a", "add", [1, 2])).toBe(3);
  });
});

describe("what a component on a thread has of its host", () => {
  test("functions of interfaces, whole, one by one and in place of WASI's; the rest is the thread's", async () => {
    const ticks = {
      at: () => 7n,
      now(): bigint {
        return this.at();
      },
      wait: () => {},
    };
    const imports = { number: () => 1, nothing: () => {}, answer: () => 1 };
    const bytes = await watFixture("hazards");
    const hazards = (id: string, more: ComponentSpec["imports"]): ChildSpec =>
      component({ id, name: id, bytes, cacheDir, imports: { ...imports, ...more } });
    const random = { "wasi:random/random#get-random-u64": () => 9n };
    const kernel = await start([
      hazards("a", { "test:hazards/ticks": ticks }),
      hazards("b", { "test:hazards": { ticks }, ...random }),
    ]);
    expect(perThread(kernel)).toEqual([2]);
    expect(await kernel.call("a", "now", [])).toBe(7n);
    expect(await kernel.call("b", "now", [])).toBe(7n);
    expect(await kernel.call("b", "random", [])).toBe(9n);
    expect(await kernel.call("a", "random", [])).not.toBe(await kernel.call("a", "random", []));
  });

  test("a promise of the host that does not settle in time is a crash there too", async () => {
    const answer = (): Promise<number> => new Promise(() => {});
    const imports = { pause: () => {}, answer };
    const kernel = await start([guest("a", { imports, limits: { importMs: 20 } })]);
    await expect(kernel.call("a", "ask", [])).rejects.toThrow(/did not settle within 20 ms/);
  });

  test.skipIf(noClang !== undefined)("its WASI options, and its own end", async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, "note"), "from the host");
    const kernel = await start([
      component({
        id: "c",
        name: "c",
        restart: "temporary",
        path: await buildC("wasi-c"),
        cacheDir,
        wasi: { env: { WHO: "alice" }, preopens: { "/data": { path: folder.path } } },
      }),
    ]);
    expect(perThread(kernel)).toEqual([1]);
    expect(await kernel.call("c", "run", ["env"])).toBe("WHO=alice;");
    expect(await kernel.call("c", "run", ["cat /data/note"])).toBe("from the host");
    const end = kernel.call("c", "run", ["exit 0"]);
    await expect(end).rejects.toMatchObject({ code: "exited", reason: { type: "normal" } });
  });

  test.skipIf(noClang !== undefined)("what it was denied is logged on the node", async () => {
    const denied: unknown[] = [];
    const warn = (fields: Readonly<Record<string, unknown>>): void => void denied.push(fields);
    const logger = { ...silentLogger, warn };
    const path = await buildC("wasi-sockets");
    const child = component({ id: "c", name: "c", path, cacheDir });
    const kernel = await start([child], 1, 256, logger);
    expect(await kernel.call("c", "run", ["lookup elsewhere.example"])).toMatch(/access-denied/);
    const pid = kernel.whereis("c")!.toString();
    await expect.poll(() => denied).toMatchObject([{ event: "wasi_denied", pid }]);
  });

  test("one with resources runs on the node's thread, and is refused where it has to be on another", async () => {
    class Logger {
      log(): void {}
      static level(): number {
        return 1;
      }
    }
    const bytes = await watFixture("shop");
    const imports = {
      "example:shop": { logging: { flush: () => 1, Logger, defaultLogger: () => new Logger() } },
    };
    const shop = (id: string, placement?: "pool"): ChildSpec =>
      component({ id, name: id, bytes, cacheDir, imports, ...(placement && { placement }) });
    const kernel = await start([shop("a")]);
    expect(perThread(kernel)).toEqual([]);
    const cart = await kernel.call("a", "cart.new", [10]);
    expect(await kernel.call("a", "cart.add", [cart, 4])).toBe(4);
    const refused = await startSupervisor(kernel, {
      strategy: "one_for_one",
      children: [shop("b", "pool")],
    }).catch((thrown: unknown) => thrown);
    expect(inspect(refused, { depth: 9 })).toMatch(
      /cannot run on a scheduler thread: it takes resources of the host/,
    );
  });
});

describe("errors between threads", () => {
  test.for([
    new WitError({ tag: "no", val: 3 }),
    new CpuLimitError("cpu_per_call", 50),
    new TrapError(
      "unreachable",
      { function: "f", arguments: ["number"], stack: [], stderr: ["line"] },
      { cause: new RangeError("deep") },
    ),
    new RangeError("plain"),
  ])("keep class, fields, message and cause: %s", (error) => {
    const copy = errorFromData(structuredClone(errorToData(error)));
    if ("code" in error) expect(copy).toBeInstanceOf(error.constructor);
    expect(copy.name).toBe(error.name);
    expect(copy.message).toBe(error.message);
    expect(Object.entries(copy)).toEqual(Object.entries(error));
    expect((copy.cause as Error | undefined)?.message).toBe(
      (error.cause as Error | undefined)?.message,
    );
  });

  test("what is thrown need not be an error", () => {
    expect(errorFromData(errorToData("just text")).message).toBe("just text");
  });
});
