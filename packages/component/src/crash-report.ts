/**
 * What is kept of a call for the report of its crash: sizes and places, never the values themselves.
 *
 * @module
 */

/** How many frames of a guest's stack are kept. */
const framesMax = 30;
/** How many arguments are described. */
const argumentsMax = 16;

/** `string of 5`, `bytes of 1024`, `list of 3`, `record of 2`, `number`, one for each argument. */
export function argumentSizes(args: readonly unknown[]): string[] {
  return args.slice(0, argumentsMax).map(sizeOf);
}

function sizeOf(value: unknown): string {
  if (typeof value === "string") return `string of ${value.length}`;
  if (value instanceof Uint8Array) return `bytes of ${value.length}`;
  if (Array.isArray(value)) return `list of ${value.length}`;
  if (typeof value === "object" && value !== null) return `record of ${Object.keys(value).length}`;
  return value === undefined || value === null ? "none" : typeof value;
}

/** The guest's frames of an error's stack, innermost first: `name (module[12]:0x1f0)`. */
export function guestStack(thrown: unknown): string[] {
  const { stack } = (thrown ?? {}) as { readonly stack?: unknown };
  if (typeof stack !== "string") return [];
  return stack
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.startsWith("at ") && line.includes("wasm://"))
    .slice(0, framesMax)
    .map((line) =>
      line.slice("at ".length).replace(/wasm:\/\/wasm\/([^:\s]+):wasm-function\[(\d+)\]/, "$1[$2]"),
    );
}
