/**
 * Which imports of WASI may wait: jco has to know when it compiles.
 *
 * @module
 */

/** By their full names, without versions. They suspend the guest, never the event loop; the rest answers at once. */
export const wasiAsyncImports: readonly string[] = [
  "wasi:io/poll#poll",
  "wasi:io/poll#[method]pollable.block",
  ...["read", "blocking-read", "skip", "blocking-skip"].map(
    (name) => `wasi:io/streams#[method]input-stream.${name}`,
  ),
  ...[
    "write",
    "blocking-write-and-flush",
    "flush",
    "blocking-flush",
    "write-zeroes",
    "blocking-write-zeroes-and-flush",
    "splice",
    "blocking-splice",
  ].map((name) => `wasi:io/streams#[method]output-stream.${name}`),
  ...[
    "sync-data",
    "set-size",
    "set-times",
    "read",
    "write",
    "read-directory",
    "sync",
    "create-directory-at",
    "stat",
    "stat-at",
    "set-times-at",
    "link-at",
    "open-at",
    "readlink-at",
    "remove-directory-at",
    "rename-at",
    "symlink-at",
    "unlink-file-at",
    "is-same-object",
    "metadata-hash",
    "metadata-hash-at",
  ].map((name) => `wasi:filesystem/types#[method]descriptor.${name}`),
  "wasi:filesystem/types#[method]directory-entry-stream.read-directory-entry",
];
