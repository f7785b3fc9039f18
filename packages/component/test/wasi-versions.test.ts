import { seededRandom } from "@coppice/kernel";
import { expect, test } from "vitest";
import { compileWat } from "./wasi-guests.ts";
import { openGuest } from "./wasi-run.ts";

/** A component that imports one function of WASI and exports it again. */
const importing = (version: string): string => `
(component
  (import "wasi:random/random@${version}" (instance $random
    (export "get-random-u64" (func (result u64)))))
  (core func $draw (canon lower (func $random "get-random-u64")))
  (core module $module
    (import "random" "draw" (func $draw (result i64)))
    (func (export "draw") (result i64) call $draw))
  (core instance $instance
    (instantiate $module (with "random" (instance (export "draw" (func $draw))))))
  (func (export "draw") (result u64) (canon lift (core func $instance "draw"))))`;

test.for(["0.2.0", "0.2.1", "0.2.3", "0.2.6", "0.2.12"])("WASI %s is linked", async (version) => {
  const compiled = await compileWat(importing(version));
  await using guest = await openGuest(compiled, { random: seededRandom(1) });
  const random = seededRandom(1);
  for (let word = 0; word < 4; word += 1) random.u32(); // The key of metadata hashes is drawn first.
  const expected = (BigInt(random.u32()) << 32n) | BigInt(random.u32());
  expect(await guest.instance.call("draw", [])).toBe(expected);
});

test.for(["0.3.0", "0.2.0-rc-2023-12-05", "0.1.0"])(
  "WASI %s is refused by name",
  async (version) => {
    const message = `imports wasi:random/random@${version}: only WASI 0.2 is there`;
    await expect(compileWat(importing(version))).rejects.toThrow(message);
  },
);
