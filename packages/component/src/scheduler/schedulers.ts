/**
 * The schedulers of one node: the one of its own thread.
 *
 * @module
 */
import type { Kernel } from "@coppice/kernel";
import { Scheduler } from "./scheduler.ts";

const schedulers = new WeakMap<Kernel, Scheduler>();

/** The scheduler of the thread a node runs on, made when it is first asked for. */
export function schedulerOf(kernel: Kernel): Scheduler {
  let scheduler = schedulers.get(kernel);
  if (scheduler === undefined) {
    scheduler = new Scheduler({ clock: kernel.clock });
    schedulers.set(kernel, scheduler);
  }
  return scheduler;
}
