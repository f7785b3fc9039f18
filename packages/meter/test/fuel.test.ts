import { arm, createGate, gateAnswer, rewrite } from "@coppice/meter";
import { describe, expect, test } from "vitest";
import { call, fill, metered, plain, wat } from "./modules.ts";

const forever = `(func (export "run") (loop $l (br $l)))`;

describe("nothing runs for ever", () => {
  const endless: Readonly<Record<string, string>> = {
    "an empty loop": forever,
    "a loop that catches everything": `(func (export "run") (loop $l (block $h (try_table (catch_all $h) (loop $m (br $m)))) (br $l)))`,
    "a loop that catches everything, in the older form": `(func (export "run") (loop $l try (loop $m (br $m)) catch_all end (br $l)))`,
    "two functions that call each other's tail": `(func $a (export "run") (return_call $b)) (func $b (return_call $a))`,
    "an exponential tree of calls": `(func $f0) ${Array.from({ length: 60 }, (_, i) => `(func $f${i + 1} (call $f${i}) (call $f${i}))`).join(" ")} (export "run" (func $f60))`,
    "fills of a big memory": `(memory 100) (func (export "run") (loop $l (memory.fill (i32.const 0) (i32.const 1) (i32.const 6553600)) (br $l)))`,
    "a loop in the start function": `(func $s (loop $l (br $l))) (start $s) (func (export "run"))`,
  };
  test.for(Object.entries(endless))("%s", async ([, text]) => {
    const bytes = await wat(`(module ${text})`);
    expect(() => call(metered(bytes, { fillsMax: 50 }).exports, "run")).toThrow(
      WebAssembly.RuntimeError,
    );
  });

  test("a function counts a length before it works on it", async () => {
    const text = `(module (memory 16) (func (export "run") (memory.fill (i32.const 0) (i32.const 1) (i32.const 1000000))))`;
    const { exports, asked } = metered(await wat(text));
    call(exports, "run");
    expect(asked()).toBe(1);
  });
});

describe("the gate", () => {
  test("suspends the guest until it is answered, while others run", async () => {
    const bytes = rewrite(
      await wat(`(module (global $n (mut i32) (i32.const 0)) (func (export "count") (result i32) (global.get $n))
      (func (export "run") (param i32) (loop $l (global.set $n (i32.add (global.get $n) (i32.const 1)))
        (br_if $l (i32.lt_u (global.get $n) (local.get 0))))))`),
    );
    const waiting: ((fuel: number) => void)[] = [];
    const owners: number[] = [];
    const gate = createGate({
      check: (owner) => {
        owners.push(owner);
        return gateAnswer.suspend;
      },
      suspend: () => new Promise((resolve) => void waiting.push(resolve)),
    });
    const module = new WebAssembly.Module(bytes);
    const guests = [11, 22].map((owner) => {
      const { exports } = new WebAssembly.Instance(module);
      arm(exports, { gate, owner, fuel: fill });
      return exports;
    });
    const runs = guests.map((exports) => WebAssembly.promising(exports["run"])(100_000));
    expect(waiting).toHaveLength(2);
    expect(owners).toEqual([11, 22]);
    const counted = guests.map((exports) => call(exports, "count") as number);
    expect(counted[0]).toBe(counted[1]);
    expect(counted[0]).toBeLessThan(2_000);

    waiting[0]!(2_147_483_647);
    await runs[0];
    expect(call(guests[0]!, "count")).toBe(100_000);
    expect(call(guests[1]!, "count")).toBe(counted[1]);
    waiting[1]!(gateAnswer.kill);
    await expect(runs[1]).rejects.toThrow(WebAssembly.RuntimeError);
  });

  test("fuel taken away from outside is missed at the next point", async () => {
    const bytes = rewrite(
      await wat(
        `(module (func (export "run") (param i32) (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))`,
      ),
    );
    let asked = 0;
    const gate = createGate({ check: () => (asked += 1), suspend: () => Promise.resolve(0) });
    const exports = plain(bytes);
    const armed = arm(exports, { gate, owner: 1, fuel: 1_000_000 });
    call(exports, "run", 10);
    expect(asked).toBe(0);
    armed.setFuel(-1);
    call(exports, "run", 10);
    expect(asked).toBe(1);
  });

  test("a module that was not armed does nothing", async () => {
    const exports = plain(rewrite(await wat(`(module ${forever})`)));
    expect(() => call(exports, "run")).toThrow(WebAssembly.RuntimeError);
  });
});
