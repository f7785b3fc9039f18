/**
 * Streams of bytes: `wasi:io/streams` over anything that gives or takes bytes.
 *
 * @module
 */
import { Pollable, type Readiness } from "./poll.ts";
import { Resource, type Scope } from "./scope.ts";
import { WasiError, WasiTrapError } from "./wasi-errors.ts";

/** The most bytes one read returns, and the most a guest is told it may write at once. */
export const chunkBytesMax = 65_536;
/** The most bytes WASI lets a guest write with one blocking call. */
const blockingBytesMax = 4_096;

/** What failed under a stream. `code` is what a `*-error-code` function of the stream's interface answers. */
export class IoError extends Resource {
  readonly #message: string;
  readonly code: unknown;

  constructor(scope: Scope, message: string, code?: unknown) {
    super(scope);
    this.#message = message;
    this.code = code;
  }

  toDebugString(): string {
    return this.#message;
  }
}

/** The end of a stream. */
export function closedStream(): WasiError {
  return new WasiError({ tag: "closed" });
}

/** A failure under a stream; `code` is the interface's own error code. */
export function failedStream(scope: Scope, message: string, code?: unknown): WasiError {
  const error = new IoError(scope, message, code);
  return new WasiError({ tag: "last-operation-failed", val: error });
}

/** Where bytes come from. */
export interface Source extends Readiness {
  /**
   * At most `max` bytes; none if there are none yet.
   *
   * @throws {WasiError} with a `stream-error`: the end, or a failure.
   */
  readonly read: (max: number) => Uint8Array | Promise<Uint8Array>;
  readonly close: () => void;
}

/** Where bytes go. */
export interface Sink extends Readiness {
  /** How many bytes may be written now. @throws {WasiError} with a `stream-error`. */
  readonly writable: () => number;
  /** Takes `bytes`, no more than `writable` said. @throws {WasiError} with a `stream-error`. */
  readonly write: (bytes: Uint8Array) => void | Promise<void>;
  /** Resolves when everything written so far has gone out. @throws {WasiError} with a `stream-error`. */
  readonly flush: () => void | Promise<void>;
  readonly close: () => void;
}

/** `wasi:io/streams.input-stream`. */
export class InputStream extends Resource {
  readonly #source: Source;

  constructor(scope: Scope, source: Source) {
    super(scope, source.close);
    this.#source = source;
  }

  async read(length: bigint): Promise<Uint8Array> {
    await this.scope.turn();
    return this.#source.read(chunk(length));
  }

  async blockingRead(length: bigint): Promise<Uint8Array> {
    await this.scope.turn();
    for (;;) {
      const bytes = await this.#source.read(chunk(length));
      if (bytes.length > 0 || length === 0n) return bytes;
      await waitFor(this.scope, this.#source);
    }
  }

  async skip(length: bigint): Promise<bigint> {
    return BigInt((await this.read(length)).length);
  }

  async blockingSkip(length: bigint): Promise<bigint> {
    return BigInt((await this.blockingRead(length)).length);
  }

  subscribe(): Pollable {
    return new Pollable(this.scope, this.#source);
  }
}

/** `wasi:io/streams.output-stream`. */
export class OutputStream extends Resource {
  readonly #sink: Sink;

  constructor(scope: Scope, sink: Sink) {
    super(scope, sink.close);
    this.#sink = sink;
  }

  checkWrite(): bigint {
    return BigInt(Math.min(this.#sink.writable(), chunkBytesMax));
  }

  async write(contents: Uint8Array): Promise<void> {
    await this.scope.turn();
    if (contents.length > this.checkWrite())
      throw new WasiTrapError("output-stream.write was called with more than check-write allows");
    await this.#sink.write(contents);
  }

  async blockingWriteAndFlush(contents: Uint8Array): Promise<void> {
    await this.scope.turn();
    let rest = contents;
    while (rest.length > 0) {
      const most = await this.#writable();
      await this.#sink.write(rest.subarray(0, most));
      rest = rest.subarray(most);
    }
    await this.#sink.flush();
  }

  async flush(): Promise<void> {
    await this.scope.turn();
    this.#sink.writable(); // Only to fail if the stream has: what was written is on its way already.
  }

  async blockingFlush(): Promise<void> {
    await this.scope.turn();
    await this.#sink.flush();
  }

  async writeZeroes(length: bigint): Promise<void> {
    if (length > this.checkWrite())
      throw new WasiTrapError("write-zeroes was called with more than check-write allows");
    await this.write(new Uint8Array(Number(length)));
  }

  async blockingWriteZeroesAndFlush(length: bigint): Promise<void> {
    if (length > blockingBytesMax)
      throw new WasiTrapError(
        `blocking-write-zeroes-and-flush takes ${blockingBytesMax} bytes at most`,
      );
    await this.blockingWriteAndFlush(new Uint8Array(Number(length)));
  }

  async splice(source: InputStream, length: bigint): Promise<bigint> {
    const most = Math.min(this.#sink.writable(), chunk(length));
    if (most === 0) return 0n;
    const bytes = await source.read(BigInt(most));
    await this.#sink.write(bytes);
    return BigInt(bytes.length);
  }

  async blockingSplice(source: InputStream, length: bigint): Promise<bigint> {
    const most = Math.min(await this.#writable(), chunk(length));
    const bytes = await source.blockingRead(BigInt(most));
    await this.#sink.write(bytes);
    return BigInt(bytes.length);
  }

  subscribe(): Pollable {
    return new Pollable(this.scope, this.#sink);
  }

  /** Waits until something may be written, and says how much. */
  async #writable(): Promise<number> {
    for (;;) {
      const most = this.#sink.writable();
      if (most > 0) return Math.min(most, chunkBytesMax);
      await waitFor(this.scope, this.#sink);
    }
  }
}

async function waitFor(scope: Scope, readiness: Readiness): Promise<void> {
  if (!readiness.ready()) await scope.wait(readiness.listen);
}

function chunk(length: bigint): number {
  return length > chunkBytesMax ? chunkBytesMax : Number(length);
}
