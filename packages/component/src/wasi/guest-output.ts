/**
 * What a guest writes to one of its output streams, as lines: some for the log, the last ones for a crash report.
 *
 * Memory is bounded: one partial line, the tail, and nothing else is kept.
 *
 * @module
 */
import { StringDecoder } from "node:string_decoder";
import type { Clock } from "@coppice/kernel";
import { admitLine, droppedNotice, fullOutput, type OutputState } from "./output-policy.ts";
import { alwaysReady } from "./poll.ts";
import { chunkBytesMax, type Sink } from "./streams.ts";

/** Lines kept for a crash report. */
export const tailLinesMax = 20;
/** A longer line is cut, in UTF-16 units. */
export const lineLengthMax = 2_000;

/** Collects one stream. */
export class GuestOutput {
  readonly #clock: Clock;
  readonly #onLine: (line: string) => void;
  readonly #decoder = new StringDecoder("utf8");
  readonly #tail: string[] = [];
  #partial = "";
  #state: OutputState;

  constructor(clock: Clock, onLine: (line: string) => void) {
    this.#clock = clock;
    this.#onLine = onLine;
    this.#state = fullOutput(clock.now());
  }

  /** The last lines, oldest first, with what was not ended by a line feed. */
  lines(): readonly string[] {
    return this.#partial === "" ? [...this.#tail] : [...this.#tail, this.#partial];
  }

  /** Where the guest's bytes go. */
  sink(): Sink {
    return {
      ...alwaysReady,
      writable: () => chunkBytesMax,
      write: (bytes) => this.write(bytes),
      flush: () => {},
      close: () => {},
    };
  }

  write(bytes: Uint8Array): void {
    const [first = "", ...rest] = this.#decoder.write(bytes).split("\n");
    const nowMs = this.#clock.now();
    this.#extend(first);
    for (const text of rest) {
      this.#lineEnds(nowMs);
      this.#extend(text);
    }
  }

  /** Says what is not said yet: a line that was not ended, and how many were dropped. */
  end(): void {
    this.#extend(this.#decoder.end());
    if (this.#partial !== "") this.#lineEnds(this.#clock.now());
    if (this.#state.dropped > 0) this.#onLine(droppedNotice(this.#state.dropped));
    this.#state = { ...this.#state, dropped: 0 };
  }

  #extend(text: string): void {
    const room = lineLengthMax - this.#partial.length;
    if (room > 0 && text !== "") this.#partial += text.slice(0, room);
  }

  #lineEnds(nowMs: number): void {
    const line = this.#partial;
    this.#partial = "";
    if (this.#tail.push(line) > tailLinesMax) this.#tail.shift();
    const { type, state, notice } = admitLine(this.#state, nowMs, line.length);
    this.#state = state;
    if (notice !== undefined) this.#onLine(notice);
    if (type === "write") this.#onLine(line);
  }
}
