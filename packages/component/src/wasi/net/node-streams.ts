/**
 * Node's streams as the sources and sinks of WASI's: bounded both ways, with failures as WASI tells them.
 *
 * @module
 */
import type { EventEmitter } from "node:events";
import type { Readable, Writable } from "node:stream";
import { Signal } from "../poll.ts";
import type { Scope } from "../scope.ts";
import { chunkBytesMax, closedStream, failedStream, type Sink, type Source } from "../streams.ts";

/** Resolves when a socket or a request is closed, however that came about. */
export function closed(emitter: EventEmitter): Promise<void> {
  return new Promise((resolve) => {
    emitter.once("close", resolve);
  });
}

/** The interface's error code for a failure of the stream. */
export type ErrorCode = (error: Error) => unknown;

/** Tells a stream's failure once; afterwards the stream is closed, as WASI has it. */
function failingOnce(scope: Scope, stream: Readable | Writable, codeOf: ErrorCode): () => void {
  let told = false;
  stream.on("error", () => {}); // Read from `errored`, which is there at once.
  return () => {
    const { errored } = stream;
    if (errored === null || told) return;
    told = true;
    throw failedStream(scope, errored.message, codeOf(errored));
  };
}

/** Bytes out of a Node stream, no more ahead than its own buffer holds. `close` runs when the guest drops it. */
export function readableSource(
  scope: Scope,
  readable: Readable,
  { codeOf, close }: { readonly codeOf: ErrorCode; readonly close: () => void },
): Source {
  const changed = new Signal();
  const throwIfFailed = failingOnce(scope, readable, codeOf);
  for (const event of ["readable", "end", "close", "error"]) readable.on(event, changed.fire);
  return {
    ready: () => readable.readableLength > 0 || readable.readableEnded || readable.destroyed,
    listen: changed.listen,
    read: (max) => {
      const most = Math.min(max, readable.readableLength);
      const bytes = most > 0 ? (readable.read(most) as Uint8Array) : new Uint8Array();
      if (most === 0) throwIfFailed();
      if (most === 0 && (readable.readableEnded || readable.destroyed)) throw closedStream();
      if (readable.readableLength === 0) readable.read(0); // Asks for more; without it the end is never told.
      return bytes;
    },
    close,
  };
}

/** Bytes into a Node stream, at most `chunkBytesMax` on their way at once. */
export function writableSink(
  scope: Scope,
  writable: Writable,
  { codeOf, close }: { readonly codeOf: ErrorCode; readonly close: () => void },
): Sink {
  const changed = new Signal();
  const throwIfFailed = failingOnce(scope, writable, codeOf);
  let pending = 0;
  for (const event of ["error", "close", "finish"]) writable.on(event, changed.fire);
  const room = (): number => {
    throwIfFailed();
    if (writable.destroyed || writable.writableEnded) throw closedStream();
    return chunkBytesMax - pending;
  };
  const over = (): boolean => writable.destroyed || writable.writableEnded;
  return {
    ready: () => over() || pending < chunkBytesMax,
    listen: changed.listen,
    writable: room,
    write: (bytes) => {
      room();
      pending += bytes.length;
      writable.write(bytes, () => {
        pending -= bytes.length;
        changed.fire();
      });
    },
    flush: async () => {
      while (room() < chunkBytesMax) await scope.wait(changed.listen);
    },
    close,
  };
}
