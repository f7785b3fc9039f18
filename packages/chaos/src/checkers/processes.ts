/**
 * M1 and S1: a monitor fires once, and when its target has ended; one living child for each id and supervisor.
 *
 * @module
 */
import type { HistoryEvent, LifeEvent, MonitorEvent } from "../history.ts";
import { type OnViolation, RecentMap, type StreamCheck } from "./stream-check.ts";

const rememberedMax = 100_000;

export class ProcessChecks implements StreamCheck {
  readonly #violate: OnViolation;
  readonly #monitors = new Map<string, MonitorEvent>();
  /** Monitors that are over, by reference: why. */
  readonly #over = new RecentMap<string, HistoryEvent>(rememberedMax);
  /** Processes that have ended. */
  readonly #ended = new RecentMap<string, LifeEvent>(rememberedMax);
  readonly #children = new Map<string, LifeEvent>();

  constructor(violate: OnViolation) {
    this.#violate = violate;
  }

  take(event: HistoryEvent): void {
    switch (event.type) {
      case "monitor":
        this.#monitors.set(event.ref, event as MonitorEvent);
        break;
      case "demonitor":
        this.#monitors.delete(event.ref);
        this.#over.set(event.ref, event);
        break;
      case "down": {
        const earlier = this.#over.get(event.ref);
        if (earlier !== undefined)
          this.#violate({
            promise: "M1",
            message: `monitor ${event.ref} fired after ${earlier.type === "down" ? "it had fired" : "it was ended"}`,
            events: [earlier, event],
          });
        this.#monitors.delete(event.ref);
        this.#over.set(event.ref, event);
        break;
      }
      case "start":
        this.#started(event);
        break;
      case "end":
        this.#ended.set(event.pid, event);
        if (this.#children.get(childKey(event))?.pid === event.pid)
          this.#children.delete(childKey(event));
        break;
      default:
    }
  }

  finish(): void {
    for (const monitor of this.#monitors.values()) {
      const end = this.#ended.get(monitor.target);
      if (end === undefined) continue;
      this.#violate({
        promise: "M1",
        message: `monitor ${monitor.ref} never fired although ${monitor.target} ended`,
        events: [monitor, end],
      });
    }
  }

  #started(event: LifeEvent): void {
    if (event.child === undefined) return;
    const other = this.#children.get(childKey(event));
    if (other !== undefined)
      this.#violate({
        promise: "S1",
        message: `${event.supervisor} had two children ${event.child}: ${other.pid} and ${event.pid}`,
        events: [other, event],
      });
    this.#children.set(childKey(event), event);
  }
}

function childKey({ supervisor, child }: LifeEvent): string {
  return `${supervisor} ${child}`;
}
