/**
 * What a guest writes to stdout and stderr, as lines.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { streams } from "@bytecodealliance/preview2-shim/io";

/** Lines of stderr kept for a crash report. */
export const tailLinesMax = 20;
/** A longer line is cut, in characters. */
export const lineLengthMax = 2_000;
/** How many bytes a guest is told it may write at once. */
const writeBytesMax = 1_048_576n;

/** Collects one stream. */
export class GuestOutput {
  readonly tail: string[] = [];
  readonly #onLine: (line: string) => void;
  #partial = "";

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  /** The stream to give to the guest: of the class WASI's `output-stream` must be of. */
  stream(): object {
    const write = (bytes: Uint8Array): void => this.#write(bytes);
    const methods = {
      checkWrite: () => writeBytesMax,
      write,
      blockingWriteAndFlush: write,
      flush: () => {},
      blockingFlush: () => {},
    };
    const OutputStream = (streams as unknown as { OutputStream: new () => object }).OutputStream;
    return Object.assign(new OutputStream(), methods);
  }

  /** The last lines, with what was not ended by a line feed. */
  lines(): readonly string[] {
    return this.#partial === "" ? [...this.tail] : [...this.tail, this.#partial];
  }

  #write(bytes: Uint8Array): void {
    const lines = (this.#partial + Buffer.from(bytes).toString("utf8")).split("\n");
    this.#partial = lines.pop()!.slice(0, lineLengthMax);
    for (const line of lines) {
      const cut = line.slice(0, lineLengthMax);
      if (this.tail.push(cut) > tailLinesMax) this.tail.shift();
      this.#onLine(cut);
    }
  }
}
