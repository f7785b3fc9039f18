import {
  type CompiledComponent,
  type HostImports,
  ImportTimeoutError,
  InstanceDeadError,
  instantiate,
  MissingImportError,
  TrapError,
  WitError,
} from "@coppice/component";
import { type SimulatedClock, simulatedClock } from "@coppice/testkit";
import { beforeAll, describe, expect, test } from "vitest";
import { compileFixture } from "./components/fixtures.ts";
import { buildGuest, compileGuest } from "./guests.ts";

let hazards: CompiledComponent;

beforeAll(async () => {
  hazards = await compileFixture("hazards", { replaces: (name) => name.startsWith("wasi:random") });
});

const ticks = { now: () => 5n, wait: () => {} };
const base: HostImports = {
  number: () => 1,
  nothing: () => {},
  answer: () => 1,
  "test:hazards/ticks": ticks,
};

function open(imports: HostImports = {}, more: { readonly clock?: SimulatedClock } = {}) {
  return instantiate(hazards, { imports: { ...base, ...imports }, onOutput: () => {}, ...more });
}

describe("where an import is found", () => {
  test.for<[string, HostImports]>([
    ["under its interface", { "test:hazards/ticks": ticks }],
    [
      "by its own path",
      { "test:hazards/ticks#now": ticks.now, "test:hazards/ticks#wait": ticks.wait },
    ],
    ["under its package", { "test:hazards": { ticks } }],
  ])("%s", async ([, given]) => {
    const { "test:hazards/ticks": _, ...rest } = base;
    const instance = await instantiate(hazards, {
      imports: { ...rest, ...given },
      onOutput: () => {},
    });
    expect(await instance.call("now", [])).toBe(5n);
  });

  test("a single function of WASI may be replaced, also by an async one", async () => {
    const sandboxed = await open();
    expect(typeof (await sandboxed.call("random", []))).toBe("bigint");
    const seeded = await open({ "wasi:random/random": { getRandomU64: async () => 7n } });
    expect(await seeded.call("random", [])).toBe(7n);
  });

  test.for([
    ["number", "imports number: func() -> u32; pass it in imports"],
    ["test:hazards/ticks", "imports test:hazards/ticks#now: func() -> u64; pass it in imports"],
  ])("without %s nothing starts", async ([name, message]) => {
    const { [name!]: _, ...imports } = base;
    const start = instantiate(hazards, { imports, onOutput: () => {} });
    await expect(start).rejects.toThrow(MissingImportError);
    await expect(start).rejects.toThrow(message);
  });
});

test("two versions of one interface are two interfaces, and each may have functions of its own", async () => {
  const { compiled } = await compileGuest(
    await buildGuest(`(component
      (import "a:b/c@1.0.0" (instance $one (export "f" (func (result u32)))))
      (import "a:b/c@2.0.0" (instance $two (export "f" (func (result u32)))))
      (core func $f1 (canon lower (func $one "f"))) (core func $f2 (canon lower (func $two "f")))
      (core module $m (import "h" "f1" (func $f1 (result i32))) (import "h" "f2" (func $f2 (result i32)))
        (func (export "both") (result i32) (i32.add (i32.mul (call $f1) (i32.const 10)) (call $f2))))
      (core instance $i (instantiate $m (with "h" (instance (export "f1" (func $f1)) (export "f2" (func $f2))))))
      (func (export "both") (result u32) (canon lift (core func $i "both"))))`),
  );
  const both = async (imports: HostImports): Promise<unknown> =>
    (await instantiate(compiled, { imports, onOutput: () => {} })).call("both", []);
  expect(await both({ "a:b/c@1.0.0": { f: () => 1 }, "a:b/c@2.0.0#f": async () => 2 })).toBe(12);
  expect(await both({ "a:b/c@1.0.0": { f: () => 1 }, "a:b/c": { f: () => 3 } })).toBe(13);
  await expect(both({ "a:b/c@1.0.0": { f: () => 1 } })).rejects.toThrow("a:b/c@2.0.0#f");
});

describe("what an import may do", () => {
  test("answer at once or later, as often as it is asked", async () => {
    const instance = await open({ number: () => 2 });
    expect(await instance.call("ask-often", [1000])).toBe(2000);
    const later = await open({ number: async () => 3 });
    expect(await later.call("ask-often", [1000])).toBe(3000);
  });

  test.for<[string, () => unknown]>([
    [
      "thrown",
      () => {
        throw new WitError("no");
      },
    ],
    [
      "rejected with",
      async () => {
        throw new WitError("no");
      },
    ],
  ])("a WitError that is %s is an err to the guest", async ([, answer]) => {
    const instance = await open({ answer });
    await expect(instance.call("ask-answer", [])).rejects.toEqual(new WitError("no"));
    expect(await instance.call("ask", [])).toBe(1);
  });
});

/** Every way a function of the host can fail its guest, and what the crash says. */
const failures: readonly (readonly [string, () => unknown, RegExp])[] = [
  [
    "throws",
    () => {
      throw new Error("no network");
    },
    /no network/,
  ],
  ["rejects", () => Promise.reject(new Error("no network")), /no network/],
  [
    "rejects later",
    async () => {
      await Promise.resolve();
      throw new Error("no network");
    },
    /no network/,
  ],
  [
    "throws no error",
    () => {
      throw "text";
    },
    /text/,
  ],
  ["returns the wrong type", () => "1", /what \S+ returned: expected \S+, got "1"/],
  ["resolves to the wrong type", async () => -1, /what \S+ returned: expected \S+, got -1/],
];

describe("what ends the instance, whatever the import's type", () => {
  for (const [name, path, types] of [
    ["number", "ask", true],
    ["nothing", "ask-nothing", false],
    ["answer", "ask-answer", true],
    ["test:hazards/ticks#now", "now", true],
  ] as const)
    test.for(failures.filter(([what]) => types || !what.includes("type")))(
      `${name} %s`,
      async ([, run, message]) => {
        const instance = await open({ [name]: run });
        const call = instance.call(path, []);
        await expect(call).rejects.toThrow(TrapError);
        await expect(call).rejects.toThrow(message);
        await expect(instance.call("ask", [])).rejects.toThrow(InstanceDeadError);
      },
    );

  test("a WitError where the type has no err", async () => {
    const instance = await open({
      number: () => {
        throw new WitError("no");
      },
    });
    await expect(instance.call("ask", [])).rejects.toThrow(TrapError);
  });

  test("an err of the wrong type", async () => {
    const instance = await open({
      answer: () => {
        throw new WitError(1);
      },
    });
    await expect(instance.call("ask-answer", [])).rejects.toThrow(
      "the err of answer: expected string, got 1",
    );
  });

  test("a promise that never settles, when its time is over", async () => {
    const clock = simulatedClock();
    const asked = Promise.withResolvers<void>();
    const number = (): Promise<number> => {
      asked.resolve();
      return new Promise(() => {});
    };
    const instance = await open({ number }, { clock });
    const outcome = instance.call("ask", []).catch((thrown: unknown) => thrown);
    await asked.promise;
    await clock.advance(30_000);
    const trap = await outcome;
    expect(trap).toMatchObject({ cause: expect.any(ImportTimeoutError) });
    expect(String(trap)).toContain("number did not settle within 30000 ms");
    await expect(instance.call("ask", [])).rejects.toThrow(InstanceDeadError);
  });

  test("its own death, while it waits for a promise", async () => {
    const asked = Promise.withResolvers<void>();
    const instance = await open({
      number: () => {
        asked.resolve();
        return new Promise(() => {});
      },
    });
    const call = instance.call("ask", []);
    await asked.promise;
    instance.die(new Error("killed from outside"));
    await expect(call).rejects.toThrow("killed from outside");
  });
});
