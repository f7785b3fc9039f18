/**
 * The part of the WebAssembly JavaScript API this workspace uses: TypeScript has it only in its browser libraries.
 *
 * Source: https://webassembly.github.io/spec/js-api/
 *
 * @module
 */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
  }
  interface Instance {
    readonly exports: Record<string, unknown>;
  }
  interface Memory {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  class RuntimeError extends Error {}
  function compile(bytes: Uint8Array): Promise<Module>;
  function instantiate(bytes: Uint8Array): Promise<{ readonly instance: Instance }>;
}
