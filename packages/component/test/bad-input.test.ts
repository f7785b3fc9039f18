import { globSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "@bytecodealliance/jco";
import {
  compileComponent,
  instantiate,
  NotAComponentError,
  UnknownFunctionError,
} from "@coppice/component";
import { silentLogger } from "@coppice/kernel";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeWorld } from "../src/world-decoder.ts";
import { MalformedError } from "../src/binary-reader.ts";
import { watFixture } from "./components/fixtures.ts";

let cacheDir: string;

beforeAll(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), "coppice-bad-"));
});

afterAll(() => rm(cacheDir, { recursive: true, force: true }));

/** The one sentence that is said about bytes that cannot be used. */
async function complaint(bytes: Uint8Array): Promise<string> {
  const compiled = compileComponent({ bytes, cacheDir, logger: silentLogger });
  const error = await compiled.then(
    () => expect.unreachable(),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(NotAComponentError);
  expect((error as Error).message).not.toContain("\n");
  return (error as Error).message;
}

const libraries = fileURLToPath(new URL("../node_modules/@bytecodealliance/", import.meta.url));
const shipped = globSync("{jco,jco-transpile,componentize-js}/{lib,vendor}/*.wasm", {
  cwd: libraries,
});

test("every WebAssembly file the tools ship is told to be no component", async () => {
  expect(shipped.length).toBeGreaterThan(5);
  for (const name of shipped)
    expect(await complaint(readFileSync(join(libraries, name)))).toContain(
      "is a core WebAssembly module, not a component",
    );
});

describe("what is not supported is named", () => {
  test.for([
    ["an imported component", '(component (import "a" (component)))', "it imports a, a component"],
    [
      "an imported core module",
      '(component (import "a" (core module)))',
      "it imports a, a core module",
    ],
    [
      "a type that the world exports",
      '(component (type $t (record (field "a" u32))) (export "t" (type $t)))',
      "component export `t` was not a function or instance",
    ],
    [
      "a module with two memories",
      "(component (core module $m (memory 1) (memory 1)) (core instance (instantiate $m)))",
      "unsupported section found in module using multiple memories",
    ],
    [
      "a thread's built-in",
      "(component (core func (canon thread.index)))",
      "it uses a built-in this version does not know",
    ],
    [
      "a memory of 64 bits",
      "(component (core module $m (memory i64 1)) (core instance (instantiate $m)))",
      "64-bit",
    ],
    [
      "a shared memory",
      "(component (core module $m (memory 1 2 shared)) (core instance (instantiate $m)))",
      "shared",
    ],
  ])("%s", async ([, wat, message]) => {
    const said = await complaint(await parse(wat!));
    expect(said).toMatch(/cannot be used: |uses what is not supported: /);
    expect(said).toContain(message);
  });
});

test("a component that offers nothing is whole", async () => {
  const bytes = await parse("(component)");
  const compiled = await compileComponent({ bytes, cacheDir, logger: silentLogger });
  const instance = await instantiate(compiled, { imports: {}, onOutput: () => {} });
  await expect(instance.call("anything", [])).rejects.toThrow(UnknownFunctionError);
});

test("a core module that cannot be metered is named as such", async () => {
  const wat =
    '(component (core module $m (func (export "coppice:fuel"))) (core instance (instantiate $m)))';
  expect(await complaint(await parse(wat))).toMatch(
    /has a core module that cannot be used: .*coppice:/,
  );
});

describe("a damaged component never gets through unseen, and never throws anything else", () => {
  const decoded = (bytes: Uint8Array): void => {
    try {
      decodeWorld(bytes);
    } catch (thrown) {
      if (!(thrown instanceof MalformedError)) throw thrown;
    }
  };

  test("cut off anywhere", async () => {
    const bytes = await watFixture("shop");
    for (let length = 8; length < bytes.length; length += 1) decoded(bytes.subarray(0, length));
    expect(await complaint(bytes.subarray(0, bytes.length - 20))).toContain("cut off");
  });

  test("with any byte changed", async () => {
    const bytes = await watFixture("shop");
    fc.assert(
      fc.property(fc.nat(bytes.length - 9), fc.nat(255), (at, value) => {
        const changed = Uint8Array.from(bytes);
        changed[at + 8] = value;
        decoded(changed);
      }),
      { numRuns: 3000 },
    );
  });

  test("with core code that is no code", async () => {
    const bytes = Uint8Array.from(await watFixture("tiny"));
    const body = bytes.lastIndexOf(0x6a); // i32.add
    bytes[body] = 0xff;
    expect(await complaint(bytes)).toMatch(/core module that cannot be used|not a whole component/);
  });
});
