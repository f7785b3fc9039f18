/**
 * Where a component's bytes come from: a file, memory, or a store that keeps them by digest.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { ComponentNotFoundError, NotAComponentError } from "./errors.ts";
import { advice, sniff } from "./sniff.ts";

/** Keeps components by the digest of their bytes. */
export interface ComponentStore {
  /** The bytes of a component; undefined if it is not there. */
  readonly get: (digest: string) => Promise<Uint8Array | undefined>;
}

/** A component: one of three. */
export type ComponentSource =
  /** A path, relative to the working directory, or a `file:` URL. */
  | { readonly path: string | URL }
  | { readonly bytes: Uint8Array }
  /** As {@link componentDigest} gives it. */
  | { readonly digest: string; readonly store: ComponentStore };

/** What names a component's bytes: their SHA-256, in hexadecimal. */
export function componentDigest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** What a source is called in errors. */
export function sourceName(source: ComponentSource): string {
  if ("path" in source) return String(source.path);
  return "bytes" in source ? "the component" : `component ${source.digest.slice(0, 12)}`;
}

/**
 * The bytes of a source.
 *
 * @throws {ComponentNotFoundError} if there is no such file, or the store has no such digest.
 * @throws {NotAComponentError} if it cannot be read, is no component, or is not what its digest says.
 */
export async function readSource(source: ComponentSource): Promise<Uint8Array> {
  const name = sourceName(source);
  const bytes =
    "path" in source
      ? await readPath(source.path)
      : "bytes" in source
        ? source.bytes
        : await readStore(source.digest, source.store);
  const kind = sniff(bytes);
  if (kind !== "component") throw new NotAComponentError(name, advice[kind]);
  return bytes;
}

async function readPath(path: string | URL): Promise<Uint8Array> {
  const name = String(path);
  try {
    return await readFile(name.startsWith("file:") ? fileURLToPath(path) : path);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new ComponentNotFoundError(name, { cause });
    throw new NotAComponentError(name, `cannot be read: ${message}`, { cause });
  }
}

async function readStore(digest: string, store: ComponentStore): Promise<Uint8Array> {
  const bytes = await store.get(digest);
  if (bytes === undefined) throw new ComponentNotFoundError(`digest ${digest} in the store`);
  if (componentDigest(bytes) !== digest)
    throw new NotAComponentError(
      `component ${digest.slice(0, 12)}`,
      "is damaged in the store: its bytes have another digest; put it there again",
    );
  return bytes;
}
