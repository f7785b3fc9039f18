/**
 * How much the files of a writable preopen may grow by what one guest does. Pure: sizes in, a refusal or nothing out.
 *
 * Invariants:
 *   Q1. What the guest has taken and not given back is at most `bytesMax`.
 *   Q2. What it gives back counts when the host has it: the space of a file that is removed while the guest has files open is
 *       free when the last of them is closed.
 *
 * @module
 */
import { WasiError } from "../wasi-errors.ts";

/** How much the files of a preopen may grow unless it says otherwise, in bytes. */
export const preopenBytesDefault = 256 << 20;

/** What an entry takes, be it an empty file, a directory or a link, in bytes. */
export const entryBytes = 4_096;

export class DiskQuota {
  readonly #bytesMax: number;
  #used = 0;
  #open = 0;
  /** Given back, but maybe not free yet (Q2). */
  #pending = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** How much is taken, in bytes. */
  get used(): number {
    return this.#used;
  }

  /** @throws {WasiError} `insufficient-space` if there is not so much left: nothing was taken. */
  take(bytes: number): void {
    if (this.#used + bytes > this.#bytesMax) throw new WasiError("insufficient-space"); // Q1
    this.#used += bytes;
  }

  /** What the guest did not take itself gives it no more than it began with. */
  giveBack(bytes: number): void {
    this.#used = Math.max(0, this.#used - bytes);
  }

  /** An entry with so many bytes was removed. */
  removed(bytes: number): void {
    this.#pending += bytes + entryBytes;
    this.#settle();
  }

  /** A file was opened. */
  opened(): void {
    this.#open += 1;
  }

  /** A file was closed. */
  closed(): void {
    this.#open -= 1;
    this.#settle();
  }

  #settle(): void {
    if (this.#open > 0) return;
    this.giveBack(this.#pending);
    this.#pending = 0;
  }
}
