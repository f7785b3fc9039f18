/**
 * Reads the canonical definitions of a component: of all of them only lifted functions have a type to keep.
 *
 * Source: https://github.com/WebAssembly/component-model/blob/main/design/mvp/Binary.md, canonical definitions.
 *
 * @module
 */
import { type BinaryReader, MalformedError } from "./binary-reader.ts";
import { at, type Scope } from "./type-decoder.ts";

/** What follows the code of a built-in: an index or a flag, options, a value type, a result. */
type Part = "index" | "options" | "type" | "result";

const parts: Readonly<Record<number, readonly Part[]>> = {
  0x02: ["index"],
  0x03: ["index"],
  0x04: ["index"],
  0x05: [],
  0x06: ["index"],
  0x07: ["index"],
  0x08: [],
  0x09: ["result", "options"],
  0x0a: ["type", "index"],
  0x0b: ["type", "index"],
  0x0c: ["index"],
  0x0d: [],
  0x0e: ["index"],
  0x0f: ["index", "options"],
  0x10: ["index", "options"],
  0x11: ["index", "index"],
  0x12: ["index", "index"],
  0x13: ["index"],
  0x14: ["index"],
  0x15: ["index"],
  0x16: ["index", "options"],
  0x17: ["index", "options"],
  0x18: ["index", "index"],
  0x19: ["index", "index"],
  0x1a: ["index"],
  0x1b: ["index"],
  0x1c: ["options"],
  0x1d: ["options"],
  0x1e: [],
  0x1f: [],
  0x20: ["index", "index"],
  0x21: ["index", "index"],
  0x22: [],
  0x23: [],
  0x24: [],
  0x25: [],
};

/** Options that carry an index. */
const optionsWithIndex: ReadonlySet<number> = new Set([0x03, 0x04, 0x05, 0x07, 0x08]);

export function readCanonicals(reader: BinaryReader, scope: Scope): void {
  reader.list(() => {
    const code = reader.byte();
    if (code === 0x00 || code === 0x01) {
      reader.byte();
      reader.unsigned();
      readOptions(reader);
      if (code === 0x01) return;
      const entry = at(scope.types, reader.unsigned());
      if (entry.sort !== "function")
        throw new MalformedError("a function of what is no function type");
      scope.functions.push(entry.type);
      return;
    }
    const expected = parts[code];
    if (expected === undefined)
      throw new MalformedError(
        `it uses a built-in this version does not know (0x${code.toString(16)})`,
      );
    for (const part of expected) readPart(part, reader);
  });
}

function readPart(part: Part, reader: BinaryReader): void {
  switch (part) {
    case "index":
      reader.unsigned();
      return;
    case "type":
      reader.unsigned(); // A code, or an index: both end at a byte without the continuation bit.
      return;
    case "result":
      if (reader.byte() === 0x00) reader.unsigned();
      else reader.byte();
      return;
    case "options":
      readOptions(reader);
  }
}

function readOptions(reader: BinaryReader): void {
  reader.list(() => {
    if (optionsWithIndex.has(reader.byte())) reader.unsigned();
  });
}
