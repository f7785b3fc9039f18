/**
 * M1 and M2: a monitor or a link fires exactly once, after its target has ended, and not after it was ended.
 *
 * @module
 */
import type { DownEvent, HistoryEvent, LifeEvent, MonitorEvent } from "../history.ts";
import { type OnViolation, RecentMap, type StreamCheck } from "./stream-check.ts";

const rememberedMax = 100_000;
/** Reasons that do not say that the target has ended just now. */
const saysNothing: ReadonlySet<string> = new Set(["noconnection", "noproc"]);
/** How long a monitor may take to fire after its target has ended, in milliseconds: 1.1 leases and 1 s. */
export const downMsMaxDefault = 4_300;

export class MonitorChecks implements StreamCheck {
  readonly #violate: OnViolation;
  readonly #downMsMax: number;
  readonly #monitors = new Map<string, MonitorEvent>();
  /** Monitors that are over, by reference: why. */
  readonly #over = new RecentMap<string, HistoryEvent>(rememberedMax);
  /** Processes that have ended. */
  readonly #ended = new RecentMap<string, LifeEvent>(rememberedMax);
  /** Monitors that fired with a reason although no end of their target has been seen. */
  readonly #unexplained = new RecentMap<string, readonly [MonitorEvent, DownEvent]>(rememberedMax);
  #lastMs = 0;

  constructor(violate: OnViolation, options: { readonly downMsMax?: number } = {}) {
    this.#violate = violate;
    this.#downMsMax = options.downMsMax ?? downMsMaxDefault;
  }

  take(event: HistoryEvent): void {
    this.#lastMs = event.atMs;
    switch (event.type) {
      case "monitor":
        this.#monitors.set(event.ref, event);
        break;
      case "demonitor":
        this.#monitors.delete(event.ref);
        this.#over.set(event.ref, event);
        break;
      case "down":
        this.#fired(event);
        break;
      case "end":
        this.#ended.set(event.pid, event);
        this.#unexplained.delete(event.pid);
        break;
      default:
    }
  }

  finish(): void {
    for (const [monitor, down] of this.#unexplained.values())
      this.#violate({
        promise: "M1",
        message: `monitor ${monitor.ref} fired at ${down.atMs} ms (${down.reason}), and ${monitor.target} lives`,
        events: [monitor, down],
      });
    for (const monitor of this.#monitors.values()) {
      const end = this.#ended.get(monitor.target);
      if (end === undefined || this.#ended.has(monitor.watcher)) continue;
      const sinceMs = this.#lastMs - Math.max(end.atMs, monitor.atMs);
      if (sinceMs <= this.#downMsMax) continue; // It may still fire.
      this.#violate({
        promise: "M1",
        message: `monitor ${monitor.ref} never fired although ${monitor.target} ended ${sinceMs} ms before the end of the history`,
        events: [monitor, end],
      });
    }
  }

  #fired(event: DownEvent): void {
    const earlier = this.#over.get(event.ref);
    if (earlier !== undefined) {
      const isSecond = earlier.type === "down";
      this.#violate({
        promise: isSecond ? "M1" : "M2",
        message: `monitor ${event.ref} fired at ${event.atMs} ms after ${isSecond ? "it had fired" : "it was ended"} at ${earlier.atMs} ms`,
        events: [earlier, event],
      });
    }
    const monitor = this.#monitors.get(event.ref);
    this.#monitors.delete(event.ref);
    this.#over.set(event.ref, event);
    if (monitor === undefined || saysNothing.has(event.reason)) return;
    if (!this.#ended.has(monitor.target)) this.#unexplained.set(monitor.target, [monitor, event]);
  }
}
