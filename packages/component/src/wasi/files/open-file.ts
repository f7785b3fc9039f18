/**
 * An open file of the host, shared by the descriptor and the streams over it.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import process from "node:process";
import { alwaysReady } from "../poll.ts";
import type { Scope } from "../scope.ts";
import { chunkBytesMax, closedStream, failedStream, type Sink, type Source } from "../streams.ts";
import { WasiError } from "../wasi-errors.ts";
import type { DiskQuota } from "./disk-quota.ts";
import { fileErrorCode } from "./file-error.ts";

/** The last holder closes it. */
export class OpenFile {
  readonly handle: FileHandle;
  readonly #scope: Scope;
  readonly #quota: DiskQuota;
  #holders = 1;

  constructor(scope: Scope, handle: FileHandle, quota: DiskQuota) {
    this.#scope = scope;
    this.handle = handle;
    this.#quota = quota;
    quota.opened();
  }

  share(): this {
    this.#holders += 1;
    return this;
  }

  release(): void {
    this.#holders -= 1;
    if (this.#holders > 0) return;
    this.#scope.closing(this.handle.close().finally(() => this.#quota.closed()));
  }

  async read(offset: bigint, max: number): Promise<Uint8Array> {
    const buffer = Buffer.allocUnsafe(Math.min(max, chunkBytesMax));
    const { bytesRead } = await this.handle.read(buffer, 0, buffer.length, position(offset));
    return buffer.subarray(0, bytesRead);
  }

  /** Writes all of it. */
  async write(bytes: Uint8Array, offset: bigint): Promise<void> {
    const start = position(offset);
    const { size } = await this.handle.stat();
    await this.#taking(Math.max(0, start + bytes.length - size), async () => {
      let written = 0;
      while (written < bytes.length) {
        const { bytesWritten } = await this.handle.write(
          bytes,
          written,
          bytes.length - written,
          start + written,
        );
        written += bytesWritten;
      }
    });
  }

  async resize(bytes: number): Promise<void> {
    const { size } = await this.handle.stat();
    await this.#taking(Math.max(0, bytes - size), () => this.handle.truncate(bytes));
    this.#quota.giveBack(Math.max(0, size - bytes));
  }

  /** Takes what `grow` makes the file larger by, before it does. @throws {WasiError} if there is not so much. */
  async #taking(bytes: number, grow: () => Promise<void>): Promise<void> {
    this.#quota.take(bytes);
    await grow();
  }

  /** The file from `offset` to its end. */
  source(offset: bigint): Source {
    let at = offset;
    this.share();
    return {
      ...alwaysReady,
      read: async (max) => {
        if (max === 0) return new Uint8Array();
        const bytes = await this.#streaming(() => this.read(at, max));
        if (bytes.length === 0) throw closedStream();
        at += BigInt(bytes.length);
        return bytes;
      },
      close: () => this.release(),
    };
  }

  /** The file from `offset` on. */
  sink(offset: bigint): Sink {
    let at = offset;
    this.share();
    return {
      ...alwaysReady,
      writable: () => chunkBytesMax,
      write: async (bytes) => {
        await this.#streaming(() => this.write(bytes, at));
        at += BigInt(bytes.length);
      },
      flush: () => {},
      close: () => this.release(),
    };
  }

  /** The end of the file, wherever it is at each write. */
  appendSink(): Sink {
    const scope = this.#scope;
    this.share();
    const appending = this.#openToAppend();
    appending.catch(() => {}); // Reported by the first write.
    return {
      ...alwaysReady,
      writable: () => chunkBytesMax,
      write: (bytes) =>
        this.#streaming(async () => {
          const handle = await appending;
          await this.#taking(bytes.length, () => handle.appendFile(bytes));
        }),
      flush: () => {},
      close: () => {
        this.release();
        scope.closing(
          appending.then(
            (handle) => handle.close(),
            () => {},
          ),
        );
      },
    };
  }

  /** A second handle, in append mode: on Linux `/proc/self/fd` opens the very same file again. */
  async #openToAppend(): Promise<FileHandle> {
    if (process.platform !== "linux") throw new WasiError("unsupported");
    return open(`/proc/self/fd/${this.handle.fd}`, constants.O_WRONLY | constants.O_APPEND);
  }

  async #streaming<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (thrown) {
      if (thrown instanceof WasiError)
        throw failedStream(this.#scope, thrown.message, thrown.payload);
      const code = fileErrorCode(thrown);
      if (code === undefined) throw thrown;
      throw failedStream(this.#scope, `the file system answered ${code}`, code);
    }
  }
}

/** @throws {WasiError} for a place that no file can have. */
function position(offset: bigint): number {
  if (offset > Number.MAX_SAFE_INTEGER) throw new WasiError("overflow");
  return Number(offset);
}
