import {
  type CompiledComponent,
  compileComponent,
  type ComponentInstance,
  type HostImports,
  instantiate,
  NotAComponentError,
  TrapError,
} from "@coppice/component";
import { silentLogger } from "@coppice/kernel";
import { describe, expect, test } from "vitest";
import { buildGuest } from "./guests.ts";

/** An async function that answers what its core code leaves at 16, or what it is given. */
function component(core: string, lower: string): string {
  return `(component
    (type $of (func async (param "n" u32) (result u32)))
    (import "ask" (func $ask (type $of)))
    (core module $memory (memory (export "memory") 1))
    (core instance $memory (instantiate $memory))
    (core func $return (canon task.return (result u32)))
    (core func $ask (canon lower (func $ask) ${lower}))
    (core func $new (canon waitable-set.new))
    (core func $join (canon waitable.join))
    (core module $m
      (import "host" "memory" (memory 1))
      (import "host" "return" (func $return (param i32)))
      ${core})
    (core instance $i (instantiate $m (with "host" (instance
      (export "memory" (memory $memory "memory")) (export "return" (func $return))
      (export "ask" (func $ask)) (export "new" (func $new)) (export "join" (func $join))))))
    (func (export "run") (type $of) (canon lift (core func $i "run") async (callback (core func $i "cb")))))`;
}

const unused = '(func (export "cb") (param i32 i32 i32) (result i32) unreachable)';

const guests = {
  alone: component(
    `(func (export "run") (param i32) (result i32)
       (call $return (i32.add (local.get 0) (i32.const 1))) (i32.const 0)) ${unused}`,
    "",
  ),
  loops: component(
    `(func (export "run") (param i32) (result i32) (loop $l (br $l)) unreachable) ${unused}`,
    "",
  ),
  waits: component(
    `(import "host" "ask" (func $ask (param i32) (result i32)))
     (func (export "run") (param i32) (result i32) (call $return (call $ask (local.get 0))) (i32.const 0)) ${unused}`,
    "",
  ),
  "is called back": component(
    `(import "host" "ask" (func $ask (param i32 i32) (result i32)))
     (import "host" "new" (func $new (result i32))) (import "host" "join" (func $join (param i32 i32)))
     (func (export "run") (param i32) (result i32) (local $state i32) (local $set i32)
       (local.set $state (call $ask (local.get 0) (i32.const 16)))
       (if (i32.eq (i32.and (local.get $state) (i32.const 15)) (i32.const 2))
         (then (call $return (i32.load (i32.const 16))) (return (i32.const 0))))
       (local.set $set (call $new))
       (call $join (i32.shr_u (local.get $state) (i32.const 4)) (local.get $set))
       (i32.or (i32.shl (local.get $set) (i32.const 4)) (i32.const 2)))
     (func (export "cb") (param i32 i32 i32) (result i32) (call $return (i32.load (i32.const 16))) (i32.const 0))`,
    'async (memory (core memory $memory "memory"))',
  ),
};

const compiled = new Map<string, Promise<CompiledComponent>>();

async function compile(name: keyof typeof guests): Promise<CompiledComponent> {
  const built = await buildGuest(guests[name]);
  return compileComponent({ ...built, logger: silentLogger, experimentalAsync: true });
}

async function open(
  name: keyof typeof guests,
  ask: HostImports[string] = () => 0,
  cpuMsPerCall = 5_000,
): Promise<ComponentInstance> {
  const known = compiled.get(name) ?? compile(name);
  compiled.set(name, known);
  return instantiate(await known, { imports: { ask }, onOutput: () => {}, cpuMsPerCall });
}

describe("an async function of a component", () => {
  test("is refused unless asked for", async () => {
    const compiled = compileComponent({
      ...(await buildGuest(guests.alone)),
      logger: silentLogger,
    });
    await expect(compiled).rejects.toThrow(NotAComponentError);
    await expect(compiled).rejects.toThrow("set experimentalAsync to try them");
  });

  test("answers, call after call", async () => {
    const instance = await open("alone");
    expect(await instance.call("run", [4])).toBe(5);
    expect(await instance.call("run", [5])).toBe(6);
  });

  test("is stopped when it loops", async () => {
    const instance = await open("loops", () => 0, 50);
    await expect(instance.call("run", [1])).rejects.toThrow(/stopped after 50 ms/);
  });

  test.for(["waits", "is called back"] as const)(
    "that %s gets what an async function of the host answers",
    async (name) => {
      const ask = async (n: number): Promise<number> => {
        await new Promise((resolve) => void setImmediate(resolve));
        return n * 10;
      };
      const instance = await open(name, ask);
      expect(await instance.call("run", [4])).toBe(40);
      expect(await instance.call("run", [5])).toBe(50);
    },
  );

  test.for(["waits", "is called back"] as const)(
    "that %s crashes when the host's throws, rejects, or answers with the wrong type",
    async (name) => {
      for (const ask of [
        () => {
          throw new Error("no network");
        },
        () => Promise.reject(new Error("no network")),
        async () => "7",
      ]) {
        const instance = await open(name, ask);
        const call = instance.call("run", [4]);
        await expect(call).rejects.toThrow(TrapError);
        await expect(call).rejects.toThrow(/no network|expected u32, got "7"/);
      }
    },
  );
});
