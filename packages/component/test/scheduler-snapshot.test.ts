import {
  type ComponentInstance,
  instantiate,
  restoreSnapshot,
  Scheduler,
  SnapshotMismatchError,
  SnapshotRefusedError,
  takeSnapshot,
} from "@coppice/component";
import { ExitError, systemClock } from "@coppice/kernel";
import { beforeAll, describe, expect, test } from "vitest";
import { buildTimeoutMs, compileChatRoom } from "./chat-room.ts";
import { buildGuest, type CompiledGuest, compileGuest, open } from "./guests.ts";

const stateful = `(component
  (core module $m
    (memory 1 40) (global $n (mut i64) (i64.const 0)) (global $f (mut f64) (f64.const 0)) (table 1 funcref)
    (func (export "set") (param $at i32) (param $value i32)
      (global.set $n (i64.add (global.get $n) (i64.const -4611686018427387904))) (global.set $f (f64.const -0))
      (i32.store (local.get $at) (local.get $value)))
    (func (export "get") (param $at i32) (result i32) (i32.load (local.get $at)))
    (func (export "total") (result i64) (i64.xor (global.get $n) (i64.reinterpret_f64 (global.get $f))))
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "grow-table") (drop (table.grow (ref.null func) (i32.const 1)))))
  (core instance $i (instantiate $m))
  (func (export "set") (param "at" u32) (param "value" u32) (canon lift (core func $i "set")))
  (func (export "get") (param "at" u32) (result u32) (canon lift (core func $i "get")))
  (func (export "total") (result s64) (canon lift (core func $i "total")))
  (func (export "grow") (param "pages" u32) (result u32) (canon lift (core func $i "grow")))
  (func (export "grow-table") (canon lift (core func $i "grow-table"))))`;

const scheduler = new Scheduler({ clock: systemClock });
let compiled: CompiledGuest;
let built: Awaited<ReturnType<typeof buildGuest>>;

beforeAll(async () => {
  built = await buildGuest(stateful);
  compiled = await compileGuest(built);
});

function fresh(): Promise<ComponentInstance> {
  return open(compiled, scheduler);
}

describe("a snapshot", () => {
  test("brings memories, their growth and globals to a fresh instance", async () => {
    const saved = await fresh();
    await saved.call("set", [100, 42]);
    await saved.call("grow", [3]);
    await saved.call("set", [200_000, 43]);
    const bytes = takeSnapshot(saved, await fresh());
    expect(bytes.length).toBeLessThan(1_000);

    const restored = await fresh();
    restoreSnapshot(restored, bytes);
    expect(await restored.call("get", [100])).toBe(42);
    expect(await restored.call("get", [200_000])).toBe(43);
    expect(await restored.call("total", [])).toBe(await saved.call("total", []));
    expect(await restored.call("grow", [0])).toBe(4);
    // Each goes on by itself.
    await restored.call("set", [100, 1]);
    expect(await saved.call("get", [100])).toBe(42);
  });

  test("of one restored from a snapshot is the same snapshot", async () => {
    const saved = await fresh();
    await saved.call("set", [8, 9]);
    const bytes = takeSnapshot(saved, await fresh());
    const restored = await fresh();
    restoreSnapshot(restored, bytes);
    expect(takeSnapshot(restored, await fresh())).toEqual(bytes);
  });

  test("is refused while a call is in progress, after death, and when a table grew", async () => {
    const waiting = Promise.withResolvers<undefined>();
    const guest = await compileGuest(await buildGuest());
    const busy = await open(guest, scheduler, { pause: () => waiting.promise });
    const call = busy.call("pause-once", []);
    const other = await open(guest, scheduler);
    expect(() => takeSnapshot(busy, other)).toThrow(/a call is in progress/);
    waiting.resolve(undefined);
    await call;
    expect(takeSnapshot(busy, other).length).toBeGreaterThan(0);
    busy.die(new ExitError({ type: "killed" }));
    expect(() => takeSnapshot(busy, other)).toThrow(SnapshotRefusedError);

    const grown = await fresh();
    await grown.call("grow-table", []);
    expect(() => takeSnapshot(grown, other)).toThrow(/another component/);
    const base = await fresh();
    expect(() => takeSnapshot(grown, base)).toThrow(/a table has grown/);
  });

  test("is refused while a resource is open", async () => {
    const guest = await compileGuest(
      await buildGuest(`(component
        (import "wasi:io/streams@0.2.0" (instance $streams (export "output-stream" (type (sub resource)))))
        (alias export $streams "output-stream" (type $stream))
        (import "wasi:cli/stdout@0.2.0" (instance $stdout (alias outer 1 $stream (type $s))
          (export "output-stream" (type $t (eq $s))) (export "get-stdout" (func (result (own $t))))))
        (core func $get (canon lower (func $stdout "get-stdout"))) (core func $drop (canon resource.drop $stream))
        (core module $m (import "h" "get" (func $get (result i32))) (import "h" "drop" (func $drop (param i32)))
          (memory 1) (global $handle (mut i32) (i32.const 0))
          (func (export "take") (global.set $handle (call $get))) (func (export "drop") (call $drop (global.get $handle))))
        (core instance $i (instantiate $m (with "h" (instance (export "get" (func $get)) (export "drop" (func $drop))))))
        (func (export "take") (canon lift (core func $i "take"))) (func (export "drop") (canon lift (core func $i "drop"))))`),
    );
    const holder = await open(guest, scheduler);
    const base = await open(guest, scheduler);
    await holder.call("take", []);
    expect(() => takeSnapshot(holder, base)).toThrow(/it holds 1 open resources/);
    await holder.call("drop", []);
    expect(takeSnapshot(holder, base).length).toBeGreaterThan(0);
  });

  test("that is damaged or of another component changes nothing", async () => {
    const saved = await fresh();
    await saved.call("set", [100, 42]);
    const bytes = takeSnapshot(saved, await fresh());
    const target = await fresh();
    for (const damaged of [bytes.subarray(0, 20), bytes.subarray(9), new Uint8Array(50)])
      expect(() => restoreSnapshot(target, damaged)).toThrow(SnapshotMismatchError);
    expect(await target.call("get", [100])).toBe(0);
    const other = await compileGuest(built, { memoryBytes: 10 * 65_536 });
    const stranger = await open(other, scheduler);
    expect(() => restoreSnapshot(stranger, bytes)).toThrow(
      /of another component, or of other limits/,
    );
  });

  test("is refused by an instance that was called already", async () => {
    const saved = await fresh();
    const bytes = takeSnapshot(saved, await fresh());
    const used = await fresh();
    await used.call("set", [4, 4]);
    expect(() => restoreSnapshot(used, bytes)).toThrow(
      /fresh instances of this component are not equal/,
    );
  });
});

test(
  "a JavaScript component keeps its state across a snapshot",
  async () => {
    const room = await compileChatRoom();
    const enter = (): Promise<ComponentInstance> => {
      const imports = { "publish-message": (message: string) => message };
      return instantiate(room, { scheduler, imports, onOutput: () => {} });
    };
    const saved = await enter();
    await saved.call("init", []);
    expect(await saved.call("add-message", ["hello"])).toBe("hello");
    const bytes = takeSnapshot(saved, await enter());
    expect(bytes.length).toBeLessThan(500_000);
    const restored = await enter();
    restoreSnapshot(restored, bytes);
    expect(await restored.call("add-message", ["again"])).toBe("again");
    expect(await restored.call("message-added", ["hi", ["there"]])).toEqual(["there", "hi"]);
  },
  buildTimeoutMs,
);
