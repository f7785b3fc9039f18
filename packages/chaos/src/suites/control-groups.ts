/**
 * Control groups of Linux, version 1 and 2: processes that are frozen together, or get little memory or processor time.
 *
 * @module
 */
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import {
  type ControlGroupLayout,
  type Controller,
  controllers,
  layoutOf,
} from "./control-group-layout.ts";

const periodUs = 100_000;
const removeAttempts = 50;
const removeRetryMs = 20;
const pollMs = 5;

/** How this machine has its control groups; nothing if it has none that serve. */
export function layoutHere(): ControlGroupLayout | undefined {
  return layoutOf(readFileSync("/proc/mounts", "utf8"), (path) => {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return "";
    }
  });
}

export class ControlGroup {
  readonly #layout: ControlGroupLayout;
  readonly #name: string;

  constructor(layout: ControlGroupLayout, name: string) {
    this.#layout = layout;
    this.#name = name;
    for (const folder of this.#folders) mkdirSync(folder, { recursive: true });
  }

  add(pid: number): void {
    for (const folder of this.#folders) writeFileSync(join(folder, "cgroup.procs"), `${pid}`);
  }

  /** Resolves when every process has stopped. */
  async freeze(): Promise<void> {
    if (this.#layout.version === 1) {
      this.#write("freezer", "freezer.state", "FROZEN");
      while (this.#read("freezer", "freezer.state") !== "FROZEN") await wait(pollMs);
    } else {
      this.#write("freezer", "cgroup.freeze", "1");
      while (!this.#read("freezer", "cgroup.events").includes("frozen 1")) await wait(pollMs);
    }
  }

  thaw(): void {
    if (this.#layout.version === 1) this.#write("freezer", "freezer.state", "THAWED");
    else this.#write("freezer", "cgroup.freeze", "0");
  }

  /** At most so much memory; what takes more is killed. */
  limitMemory(bytes: number): void {
    const file = this.#layout.version === 1 ? "memory.limit_in_bytes" : "memory.max";
    this.#write("memory", file, `${bytes}`);
  }

  /** At most that share of one processor, in percent. */
  limitProcessor(percent: number): void {
    const quotaUs = (periodUs / 100) * percent;
    if (this.#layout.version === 1) {
      this.#write("cpu", "cpu.cfs_period_us", `${periodUs}`);
      this.#write("cpu", "cpu.cfs_quota_us", `${quotaUs}`);
    } else this.#write("cpu", "cpu.max", `${quotaUs} ${periodUs}`);
  }

  /** How often its processes had to wait because of the limit. */
  timesThrottled(): number {
    const [, count] = /^nr_throttled (\d+)$/m.exec(this.#read("cpu", "cpu.stat")) ?? [];
    return Number(count ?? 0);
  }

  unlimitProcessor(): void {
    if (this.#layout.version === 1) this.#write("cpu", "cpu.cfs_quota_us", "-1");
    else this.#write("cpu", "cpu.max", "max");
  }

  /** When its processes have ended; the kernel may need a moment to notice. */
  async remove(): Promise<void> {
    for (const folder of this.#folders)
      for (let attempt = 1; ; attempt += 1)
        try {
          rmdirSync(folder);
          break;
        } catch (thrown) {
          if (attempt === removeAttempts) throw thrown;
          await wait(removeRetryMs);
        }
  }

  get #folders(): ReadonlySet<string> {
    return new Set(controllers.map((controller) => this.#folderOf(controller)));
  }

  #folderOf(controller: Controller): string {
    return join(this.#layout.roots[controller], this.#name);
  }

  #write(controller: Controller, file: string, text: string): void {
    writeFileSync(join(this.#folderOf(controller), file), text);
  }

  #read(controller: Controller, file: string): string {
    return readFileSync(join(this.#folderOf(controller), file), "utf8").trim();
  }
}
