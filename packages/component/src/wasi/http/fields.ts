/**
 * `wasi:http/types.fields`: headers and trailers.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { validateHeaderName, validateHeaderValue } from "node:http";
import { Resource, type Scope } from "../scope.ts";
import { WasiError } from "../wasi-errors.ts";

/** One header: its name in lower case, its value as bytes. */
export type Field = readonly [name: string, value: Uint8Array];

/** The most bytes of names and values in one set. */
const fieldsBytesMax = 65_536;
/** The most headers in one set. */
const fieldsMax = 1_000;

/** Headers that belong to the connection, which is the host's. */
const forbidden = new Set([
  "connection",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

/** An ordered list of headers. The guest makes some itself: `http.ts` binds the class to its scope. */
export class FieldsBase extends Resource {
  #entries: readonly Field[];
  readonly #immutable: boolean;

  constructor(scope: Scope, entries: readonly Field[], immutable: boolean) {
    super(scope);
    this.#entries = entries;
    this.#immutable = immutable;
  }

  get(name: string): Uint8Array[] {
    const key = name.toLowerCase();
    return this.#entries.flatMap(([each, value]) => (each === key ? [value] : []));
  }

  has(name: string): boolean {
    return this.get(name).length > 0;
  }

  set(name: string, values: readonly Uint8Array[]): void {
    const added = values.map((value) => checkedField(name, value));
    this.#change(name, [...this.#without(name), ...added]);
  }

  delete(name: string): void {
    this.#change(name, this.#without(name));
  }

  append(name: string, value: Uint8Array): void {
    this.#change(name, [...this.#entries, checkedField(name, value)]);
  }

  entries(): Field[] {
    return [...this.#entries];
  }

  #without(name: string): Field[] {
    const key = name.toLowerCase();
    return this.#entries.filter(([each]) => each !== key);
  }

  #change(name: string, entries: readonly Field[]): void {
    if (this.#immutable) throw new WasiError({ tag: "immutable" });
    checkName(name);
    mustFit(entries);
    this.#entries = entries;
  }
}

/** @throws {WasiError} with WASI's `header-error`. */
export function checkedFields(entries: readonly Field[]): Field[] {
  const checked = entries.map(([name, value]) => checkedField(name, value));
  mustFit(checked);
  return checked;
}

/** From the flat list of names and values that Node's parser makes. */
export function fieldsFromRaw(raw: readonly string[]): Field[] {
  const fields: Field[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2)
    fields.push([raw[at]!.toLowerCase(), Buffer.from(raw[at + 1]!, "latin1")]);
  return fields;
}

/** As Node takes them: every name once, with all its values. */
export function fieldsToNode(fields: readonly Field[]): Record<string, string[]> {
  const headers = Object.create(null) as Record<string, string[]>;
  for (const [name, value] of fields)
    (headers[name] ??= []).push(Buffer.from(value).toString("latin1"));
  return headers;
}

function checkedField(name: string, value: Uint8Array): Field {
  checkName(name);
  try {
    validateHeaderValue(name, Buffer.from(value).toString("latin1"));
  } catch (cause) {
    throw new WasiError({ tag: "invalid-syntax" }, { cause });
  }
  return [name.toLowerCase(), value];
}

function checkName(name: string): void {
  try {
    validateHeaderName(name);
  } catch (cause) {
    throw new WasiError({ tag: "invalid-syntax" }, { cause });
  }
  if (forbidden.has(name.toLowerCase())) throw new WasiError({ tag: "forbidden" });
}

function mustFit(fields: readonly Field[]): void {
  const bytes = fields.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (bytes > fieldsBytesMax || fields.length > fieldsMax)
    throw new WasiError({ tag: "forbidden" });
}
