/**
 * The part of the WebAssembly JavaScript API this workspace uses: TypeScript has it only in its browser libraries.
 *
 * Source: https://webassembly.github.io/spec/js-api/
 *
 * @module
 */
declare namespace WebAssembly {
  const compiled: unique symbol;
  /** Opaque: only `compile` makes one. */
  interface Module {
    readonly [compiled]: true;
  }
  interface Instance {
    readonly exports: Record<string, unknown>;
  }
  interface Memory {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  function compile(bytes: Uint8Array): Promise<Module>;
  function instantiate(bytes: Uint8Array): Promise<{ readonly instance: Instance }>;
}
