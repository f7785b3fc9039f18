/**
 * Wrong clocks for the processes of nodes, by libfaketime: wall clocks that jump, and clocks that run too fast or too slow.
 *
 * The monotonic clock of a running process is never moved: Node aborts when it goes back.
 *
 * @module
 */
import { globSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const libraryPattern = "/usr/lib/*/faketime/libfaketimeMT.so.1";
/** How soon a jump is noticed, in seconds. */
const cacheSeconds = "1";

export class ClockFaults {
  readonly #library: string | undefined;
  readonly #folder: string;

  constructor(folder: string) {
    this.#library = globSync(libraryPattern)[0];
    this.#folder = folder;
  }

  /** Why clocks cannot be changed here; nothing if they can. */
  get unavailable(): string | undefined {
    return this.#library === undefined ? "libfaketime is not installed" : undefined;
  }

  /** For a life of the node with clocks of that rate. Without one, only its wall clock can be moved later. */
  environment(node: string, rate: number): Readonly<Record<string, string>> {
    if (this.#library === undefined) return {};
    if (rate !== 1) return { LD_PRELOAD: this.#library, FAKETIME: `+0 x${rate}` };
    this.jump(node, 0);
    return {
      LD_PRELOAD: this.#library,
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      FAKETIME_CACHE_DURATION: cacheSeconds,
      FAKETIME_TIMESTAMP_FILE: this.#fileOf(node),
    };
  }

  /** Sets the wall clock of the node's process that far off. */
  jump(node: string, seconds: number): void {
    writeFileSync(this.#fileOf(node), `${seconds < 0 ? "" : "+"}${seconds}\n`);
  }

  #fileOf(node: string): string {
    return join(this.#folder, `${node}.clock`);
  }
}
