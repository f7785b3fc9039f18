import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import {
  type CompiledComponent,
  compileComponent,
  component,
  componentDigest,
  type ComponentInstance,
  type HostImports,
  InstanceDeadError,
  instantiate,
  TrapError,
} from "@coppice/component";
import { silentLogger } from "@coppice/kernel";
import { startSupervisor } from "@coppice/otp";
import { beforeAll, describe, expect, test } from "vitest";
import { cacheDir } from "./chat-room.ts";
import { compileFixture, watFixture } from "./components/fixtures.ts";
import { watComponent } from "./components/wat.ts";
import { newKernel } from "./kernel.ts";

const memoryBytes = 4 << 20;
const imports: HostImports = {
  number: () => 1,
  nothing: () => {},
  answer: () => 1,
  "test:hazards/ticks": { now: () => 5n, wait: () => {} },
};
let hazards: CompiledComponent;

beforeAll(async () => {
  hazards = await compileFixture("hazards", { memoryBytes });
});

function open(more: HostImports = {}): Promise<ComponentInstance> {
  return instantiate(hazards, { imports: { ...imports, ...more }, onOutput: () => {} });
}

test("a crash report shows the function, the sizes of its arguments, the trap, and the guest's stack", async () => {
  const instance = await open();
  const call = instance.call("crash", ["secret", [1, 2, 3], Uint8Array.of(1, 2)]);
  const trap = await call.catch((thrown: unknown) => thrown);
  expect(trap).toBeInstanceOf(TrapError);
  const { message, details } = trap as TrapError;
  expect(message).toMatch(/^crash: .*unreachable/);
  expect(details).toEqual({
    function: "crash",
    arguments: ["string of 6", "list of 3", "bytes of 2"],
    stack: [expect.any(String), expect.any(String), expect.any(String)],
    stderr: [],
  });
  for (const frame of details.stack) expect(frame).toMatch(/\[\d+\]:0x[0-9a-f]+/);
  expect(JSON.stringify(details)).not.toContain("secret");
});

describe("a guest that goes wrong ends alone, and says how", () => {
  test.for<[string, string, unknown[], RegExp]>([
    ["a division by zero", "divide", [0], /divide by zero/],
    ["a read outside its memory", "read", [0xffff_0000], /out of bounds/],
    ["recursion without end", "recurse", [0xffff_ffff], /stack/i],
    ["its allocator trapping", "take", ["13 characters"], /unreachable/],
    ["its allocator running out of memory", "take", ["x".repeat(5 << 20)], /unreachable|memory/],
    ["a trap after it returned", "give-and-trap", [], /unreachable/],
    ["a text outside its memory", "text-at", [0x7fff_0000, 10], /./],
    ["a text longer than its memory", "text-at", [0, 0xffff_ffff], /./],
    ["bytes outside its memory", "bytes-at", [65_530, 10], /out of bounds/],
    ["more than it may give at once", "repeated", [1000, 20_000], /more than 16777216 bytes/],
    ["more flags than it may give", "repeated-flags", [1000, 20_000], /more than 16777216 bytes/],
    ["text that is no UTF-8", "text-at", [48, 1], /not valid/],
    ["a case that does not exist", "colour-of", [7], /./],
  ])("%s", async ([, path, args, message]) => {
    const [instance, neighbour] = [await open(), await open()];
    const call = instance.call(path, args);
    await expect(call).rejects.toThrow(TrapError);
    await expect(call).rejects.toThrow(message);
    await expect(instance.call("ask", [])).rejects.toThrow(InstanceDeadError);
    expect(await neighbour.call("ask", [])).toBe(1);
  });

  test("as much as it may give is given", async () => {
    const instance = await open();
    expect(await instance.call("repeated", [800, 20_000])).toHaveLength(800);
  });

  test("more memory than its limit is not given", async () => {
    const instance = await open();
    expect(await instance.call("grow", [1000])).toBe(-1);
    expect(await instance.call("grow", [1])).toBe(1);
  });

  test.for<[string, string]>([
    ["a start that traps", "(start $fail) (func $fail unreachable)"],
    [
      "a start that calls an import that may suspend",
      "(start $ask) (func $ask (drop (call $number)))",
    ],
    ["a table that does not fit", "(table 1 funcref) (elem (i32.const 9) $run)"],
  ])("%s fails its instantiation", async ([, body]) => {
    const bytes = await watComponent({
      wit: "package t:t; world w { import number: func() -> u32; export run: func(); }",
      world: "w",
      wat: `(module (import "$root" "number" (func $number (result i32))) (func $run (export "run")) ${body})`,
    });
    const compiled = await compileComponent({ bytes, cacheDir, logger: silentLogger });
    const start = instantiate(compiled, { imports, onOutput: () => {} });
    await expect(start).rejects.toThrow(TrapError);
    await expect(start).rejects.toThrow(/^its start: /);
  });
});

// A suspended stack that is not given back takes some 80 KB; what V8 keeps of them for the next ones varies.
test.for<[string, string, number]>([
  ["of the guest", "guest", 10_000],
  ["under a function of the host that rejects", "import", 3000],
])(
  "traps %s, one after the other, leave nothing behind",
  { timeout: 240_000 },
  async ([, how, times]) => {
    const program = fileURLToPath(new URL("components/crash-process.ts", import.meta.url));
    const child = fork(program, [how, String(times)], { execArgv: ["--expose-gc"] });
    const [growth] = (await once(child, "message")) as [{ rss: number; heap: number }];
    // One instance that stays is 40 KB at least: all of them would be several times what there was before.
    expect(growth.heap).toBeLessThan(1.5);
    expect(growth.rss).toBeLessThan(2);
  },
);

test("where there is no address space for another memory, the start fails and says so", async () => {
  const program = fileURLToPath(new URL("components/address-space-process.ts", import.meta.url));
  const [found] = (await once(fork(program, [], { execArgv: [] }), "message")) as [object];
  expect(found).toMatchObject({ name: "TrapError", code: "no_address_space", answers: 1 });
  expect(found).toHaveProperty("message", expect.stringMatching(/^its start: there is no address/));
});

describe("under a supervisor", () => {
  test("the exit reason carries the report, and a restart does not compile", async () => {
    const kernel = newKernel();
    let reads = 0;
    const bytes = await watFixture("hazards");
    const store = {
      get: async () => {
        reads += 1;
        return bytes;
      },
    };
    const child = component({
      id: "hazards",
      name: "hazards",
      digest: componentDigest(bytes),
      store,
      cacheDir,
      imports,
    });
    const started = await startSupervisor(kernel, { strategy: "one_for_one", children: [child] });
    if (started.type !== "started") return expect.unreachable();
    for (let crash = 0; crash < 3; crash += 1) {
      const call = kernel.call("hazards", "divide", [0]);
      await expect(call).rejects.toMatchObject({
        code: "exited",
        reason: {
          type: "error",
          error: { code: "trap", details: { function: "divide", arguments: ["number"] } },
        },
      });
      await kernel.call(started.pid, "whichChildren", []);
      expect(await kernel.call("hazards", "ask", [])).toBe(1);
    }
    expect(reads).toBe(1);
  });
});
