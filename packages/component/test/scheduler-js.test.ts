import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  BuildError,
  buildJsComponent,
  buildTextComponent,
  compileComponent,
  CpuLimitError,
  instantiate,
  Scheduler,
} from "@coppice/component";
import { ExitError, silentLogger as logger, systemClock } from "@coppice/kernel";
import { beforeAll, expect, test } from "vitest";
import { buildTimeoutMs, cacheDir } from "./chat-room.ts";

const wit = `package test:loops;
world loops {
  import wait: func(value: string) -> result<string, string>;
  export spin: func();
  export spin-and-catch: func();
  export recurse: func();
  export shout: func(text: string) -> string;
  export wait-then-spin: func();
}`;

const source = `import wait from "wait";
export function spin() { for (;;) {} }
export function spinAndCatch() { for (;;) { try { for (;;) {} } catch {} finally { continue; } } }
export function recurse() { const again = () => { try { again(); } catch { again(); } }; again(); }
export function shout(text) { return text.toUpperCase() + "!"; }
export function waitThenSpin() { wait("x"); for (;;) {} }
`;

let path: string;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "coppice-js-"));
  await writeFile(join(folder, "loops.wit"), wit);
  await writeFile(join(folder, "loops.js"), source);
  const files = { source: join(folder, "loops.js"), wit: join(folder, "loops.wit") };
  path = await buildJsComponent({ ...files, world: "loops", cacheDir, logger });
}, buildTimeoutMs);

test("JavaScript that never ends is stopped; neighbours in the same engine answer meanwhile", async () => {
  const limits = { cpuMsPerCall: 300 };
  const compiled = await compileComponent({ path, cacheDir, logger });
  const scheduler = new Scheduler({ clock: systemClock });
  const enter = () =>
    instantiate(compiled, {
      ...limits,
      scheduler,
      imports: { wait: (value: string) => Promise.resolve(value) },
      onOutput: () => {},
    });
  const neighbour = await enter();
  const loops = ["spin", "spin-and-catch", "wait-then-spin", "recurse"];
  const ends = loops.map(async (name) => {
    const guest = await enter();
    const thrown: unknown = await guest.call(name, []).catch((error: unknown) => error);
    return { guest, cause: (thrown as Error).cause };
  });
  for (const word of ["one", "two", "three"])
    expect(await neighbour.call("shout", [word])).toBe(`${word.toUpperCase()}!`);
  for (const [index, { guest, cause }] of (await Promise.all(ends)).entries()) {
    // Endless recursion may also end by its stack, which is a trap of its own.
    if (loops[index] === "recurse") expect(cause).toBeInstanceOf(Error);
    else expect(cause).toBeInstanceOf(CpuLimitError);
    expect(guest.dead).toBe(true);
  }
  expect(scheduler.instances).toBe(1);
  neighbour.die(new ExitError({ type: "killed" }));
}, 60_000);

test("a component is built from text, and text that is none says why", async () => {
  const good = join(folder, "one.wat");
  await writeFile(
    good,
    `(component (core module $m (func (export "one") (result i32) (i32.const 1)))
      (core instance $i (instantiate $m)) (func (export "one") (result u32) (canon lift (core func $i "one"))))`,
  );
  const built = await buildTextComponent({ source: good, cacheDir, logger });
  const compiled = await compileComponent({ path: built, cacheDir, logger });
  const scheduler = new Scheduler({ clock: systemClock });
  const one = await instantiate(compiled, { scheduler, imports: {}, onOutput: () => {} });
  expect(await one.call("one", [])).toBe(1);
  const bad = join(folder, "bad.wat");
  await writeFile(bad, "(component (core");
  const attempt = buildTextComponent({ source: bad, cacheDir, logger });
  await expect(attempt).rejects.toThrow(BuildError);
  await expect(attempt).rejects.toThrow(/bad\.wat cannot be built/);
});
