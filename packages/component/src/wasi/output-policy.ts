/**
 * How much of what a guest writes reaches the log: a burst, then a steady trickle, and what is dropped is counted.
 *
 * Pure: time comes in, a decision goes out.
 *
 * @module
 */

/** Bytes of output that may come at once. */
export const burstBytes = 262_144;
/** Lines that may come at once. */
export const burstLines = 1_000;
/** Bytes a second after the burst. */
const bytesPerSecond = 16_384;
/** Lines a second after the burst. */
const linesPerSecond = 50;
const msPerSecond = 1_000;

/** What may still be written, in lines and in bytes, as of `atMs`. */
export interface OutputState {
  readonly lines: number;
  readonly bytes: number;
  readonly atMs: number;
  /** Lines dropped since the last one that was let through. */
  readonly dropped: number;
}

/** What to do with one line. */
export interface OutputDecision {
  readonly state: OutputState;
  readonly type: "write" | "drop";
  /** Said before the line: that dropping begins, or how many lines were dropped. */
  readonly notice?: string;
}

export function fullOutput(atMs: number): OutputState {
  return { lines: burstLines, bytes: burstBytes, atMs, dropped: 0 };
}

/** Decides about one line. */
export function admitLine(before: OutputState, nowMs: number, bytes: number): OutputDecision {
  const seconds = Math.max(0, nowMs - before.atMs) / msPerSecond;
  const lines = Math.min(burstLines, before.lines + seconds * linesPerSecond);
  const left = Math.min(burstBytes, before.bytes + seconds * bytesPerSecond);
  const { dropped } = before;
  if (lines < 1 || left < bytes) {
    const state = { lines, bytes: left, atMs: nowMs, dropped: dropped + 1 };
    if (dropped > 0) return { type: "drop", state };
    return { type: "drop", state, notice: "too much output: lines are dropped from here on" };
  }
  const state = { lines: lines - 1, bytes: left - bytes, atMs: nowMs, dropped: 0 };
  if (dropped === 0) return { type: "write", state };
  return { type: "write", state, notice: droppedNotice(dropped) };
}

/** What is said of lines that were dropped. */
export function droppedNotice(dropped: number): string {
  return `${dropped} ${dropped === 1 ? "line" : "lines"} dropped`;
}
