/**
 * WIT types and function signatures, as data.
 *
 * Source: https://component-model.bytecodealliance.org/design/wit.html
 *
 * @module
 */

/** Types without parts. */
export const primitives = [
  "bool",
  "u8",
  "u16",
  "u32",
  "u64",
  "s8",
  "s16",
  "s32",
  "s64",
  "f32",
  "f64",
  "char",
  "string",
] as const;

export type Primitive = (typeof primitives)[number];

/** A type. Names of types are resolved, except `opaque` ones, whose values are passed as they are. */
export type WitType =
  | { readonly kind: "primitive"; readonly name: Primitive }
  | { readonly kind: "list" | "option"; readonly of: WitType }
  | {
      readonly kind: "result";
      readonly ok: WitType | undefined;
      readonly err: WitType | undefined;
    }
  | { readonly kind: "tuple"; readonly items: readonly WitType[] }
  | { readonly kind: "record"; readonly fields: readonly WitField[] }
  | { readonly kind: "variant"; readonly cases: readonly WitCase[] }
  | { readonly kind: "enum" | "flags"; readonly names: readonly string[] }
  | { readonly kind: "opaque"; readonly name: string };

export interface WitField {
  readonly name: string;
  readonly type: WitType;
}

export interface WitCase {
  readonly name: string;
  readonly type: WitType | undefined;
}

/** A function. Names are WIT's, in kebab-case. */
export interface WitFunction {
  readonly name: string;
  readonly params: readonly WitField[];
  readonly result: WitType | undefined;
  /** As written: `func(message: string) -> string`. */
  readonly signature: string;
}

/** What a component asks of its host and offers to it, at the level of its world. */
export interface WitWorld {
  readonly imports: readonly WitFunction[];
  /** Imported interfaces, such as `wasi:cli/stderr`, without their versions. */
  readonly importedInterfaces: readonly string[];
  readonly exports: readonly WitFunction[];
}

/** The JavaScript name of a WIT name: `add-message` is `addMessage`. */
export function camelCase(name: string): string {
  return name.replaceAll(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
