/**
 * What kind of file some bytes are, from their first ones: so that a wrong file is told in plain words.
 *
 * Source: WebAssembly's binary format; the component model's binary format (version 13, layer 1).
 *
 * @module
 */

export type FileKind = "component" | "core-module" | "truncated" | "text" | "unknown";

const magic = [0x00, 0x61, 0x73, 0x6d];
const preambleLength = 8;
/** How many bytes are looked at to tell text from binary. */
const textSample = 512;

export function sniff(bytes: Uint8Array): FileKind {
  const isWasm = magic.every((byte, index) => index >= bytes.length || bytes[index] === byte);
  if (isWasm && bytes.length < preambleLength) return "truncated";
  if (isWasm && bytes[6] === 0x01) return "component";
  if (isWasm && bytes[6] === 0x00) return "core-module";
  const sample = bytes.subarray(0, textSample);
  return sample.every((byte) => byte >= 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d)
    ? "text"
    : "unknown";
}

/** What to say, after the name of the file, about bytes that are not a component. */
export const advice: Readonly<Record<Exclude<FileKind, "component">, string>> = {
  "core-module":
    "is a core WebAssembly module, not a component: wrap it (for example with `jco new`), or build a component",
  text: "is a text file, not a WebAssembly component: name the built .wasm file instead",
  truncated: "is cut off: build or copy it again",
  unknown: "is not a WebAssembly component: name the built .wasm file instead",
};
