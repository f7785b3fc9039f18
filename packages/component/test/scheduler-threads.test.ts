import {
  component,
  componentSchedulers,
  type ComponentSpec,
  CpuLimitError,
  TrapError,
  WitError,
} from "@coppice/component";
import { type CallError, Kernel, seededRandom, silentLogger, systemClock } from "@coppice/kernel";
import { type ChildSpec, startSupervisor } from "@coppice/otp";
import { beforeAll, describe, expect, test } from "vitest";
import { errorFromData, errorToData } from "../src/scheduler/error-data.ts";
import { buildGuest } from "./guests.ts";

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

function node(): Kernel {
  const options = { node: "n", incarnation: "1", clock: systemClock, logger: silentLogger };
  return new Kernel({ ...options, random: seededRandom(1) });
}

async function start(
  children: readonly ChildSpec[],
  threads = 1,
  heapMiBMax = 256,
): Promise<Kernel> {
  const kernel = node();
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

describe("errors between threads", () => {
  test.for([
    new WitError({ tag: "no", val: 3 }),
    new CpuLimitError("cpu_per_call", 50),
    new TrapError(
      "unreachable",
      { function: "f", stderr: ["line"] },
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
