/**
 * The fences of registered processes: such a process handles messages only while its node may act for one of its names.
 *
 * @module
 */
import type { Kernel, Pid } from "@coppice/kernel";

interface Fenced {
  readonly names: Set<string>;
  readonly stop: () => void;
}

export class NameFences {
  readonly #kernel: Kernel;
  readonly #mayAct: (name: string) => boolean;
  /** By serial number. */
  readonly #fenced = new Map<number, Fenced>();

  constructor(kernel: Kernel, mayAct: (name: string) => boolean) {
    this.#kernel = kernel;
    this.#mayAct = mayAct;
  }

  /** The process has this name, perhaps besides others. */
  add(name: string, pid: Pid): void {
    const known = this.#fenced.get(pid.serial);
    if (known !== undefined) return void known.names.add(name);
    const names = new Set([name]);
    const stop = this.#kernel.addFence(pid, () => [...names].some(this.#mayAct));
    this.#fenced.set(pid.serial, { names, stop });
  }

  remove(name: string, pid: Pid): void {
    const known = this.#fenced.get(pid.serial);
    if (known?.names.delete(name) !== true || known.names.size > 0) return;
    this.#fenced.delete(pid.serial);
    known.stop();
  }
}
