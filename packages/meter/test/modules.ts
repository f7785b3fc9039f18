/**
 * Modules for tests: written as text, run with and without metering.
 *
 * @module
 */
import { parse } from "@bytecodealliance/jco";
import { arm, createGate, gateAnswer, rewrite, type RewriteOptions } from "@coppice/meter";

export function wat(text: string): Promise<Uint8Array> {
  return parse(text);
}

/** The fuel of one fill in these tests: so little that every run comes to the gate. */
export const fill = 100;

/** An instance of the module as it is. */
export function plain(bytes: Uint8Array, imports?: WebAssembly.Imports): WebAssembly.Exports {
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports;
}

export interface Metered {
  readonly exports: WebAssembly.Exports;
  /** How often the gate was asked. */
  readonly asked: () => number;
}

/** An instance of the rewritten module; after `fillsMax` fills it is killed. */
export function metered(
  bytes: Uint8Array,
  {
    fillsMax = Infinity,
    imports,
    ...options
  }: RewriteOptions & {
    readonly fillsMax?: number;
    readonly imports?: WebAssembly.Imports;
  } = {},
): Metered {
  let fills = 0;
  const gate = createGate({
    check: () => {
      fills += 1;
      return fills > fillsMax ? gateAnswer.kill : fill;
    },
    suspend: () => Promise.resolve(fill),
  });
  const exports = plain(rewrite(bytes, options), imports);
  arm(exports, { gate, owner: 7, fuel: fill });
  return { exports, asked: () => fills };
}

export function call(
  exports: WebAssembly.Exports,
  name: string,
  ...args: readonly unknown[]
): unknown {
  return (exports[name] as (...each: unknown[]) => unknown)(...args);
}
