/**
 * The part of the WebAssembly JavaScript API this workspace uses: TypeScript has it only in its browser libraries.
 *
 * Source: https://webassembly.github.io/spec/js-api/
 *
 * @module
 */
declare namespace WebAssembly {
  const compiled: unique symbol;
  type Exports = Record<string, unknown>;
  type Imports = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Opaque: compiled code. It may be posted to another thread. */
  class Module {
    readonly [compiled]: true;
    constructor(bytes: Uint8Array);
  }
  class Instance {
    readonly exports: Exports;
    constructor(module: Module, imports?: Imports);
  }
  class Memory {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  class Table {
    readonly length: number;
    get(index: number): unknown;
    grow(elements: number): number;
  }
  class Global {
    /** Throws a TypeError for what JavaScript has no value of. */
    value: unknown;
  }
  class RuntimeError extends Error {}
  class CompileError extends Error {}
  /** An import that returns a promise: the guest's stack waits for it. */
  const Suspending: new (run: (...args: never[]) => unknown) => object;
  /** An export whose stack may wait. */
  function promising(run: unknown): (...args: unknown[]) => Promise<unknown>;
  function validate(bytes: Uint8Array): boolean;
  function compile(bytes: Uint8Array): Promise<Module>;
  function instantiate(bytes: Uint8Array): Promise<{ readonly instance: Instance }>;
}
