/**
 * S1, S2 and S3: one living child for each id, no more restarts than allowed, nobody left when the supervisor is gone.
 *
 * @module
 */
import type { CensusEvent, HistoryEvent, LifeEvent } from "../history.ts";
import { type OnViolation, RecentMap, type StreamCheck } from "./stream-check.ts";

/** What is known of a supervisor. Its label in the events stands for one life of it. */
export interface Intensity {
  readonly maxRestarts: number;
  /** In seconds. */
  readonly maxSeconds: number;
}

/** How long children may outlive their supervisor, in milliseconds: the shutdown time of a child. */
export const shutdownMsDefault = 5_000;
const rememberedMax = 100_000;

export class SupervisorChecks implements StreamCheck {
  readonly #violate: OnViolation;
  /** By label; others are not checked for S2. */
  readonly #intensities: Readonly<Record<string, Intensity>>;
  readonly #shutdownMs: number;
  readonly #children = new Map<string, LifeEvent>();
  /** Ends that the supervisor has to answer with a restart, by child. */
  readonly #ended = new RecentMap<string, LifeEvent>(rememberedMax);
  readonly #restarts = new Map<string, LifeEvent[]>();
  /** Supervisors that are gone, whose children may go on for a while. */
  readonly #gone = new RecentMap<string, LifeEvent>(rememberedMax);
  readonly #census = new Map<string, CensusEvent>();
  #lastMs = 0;

  constructor(
    violate: OnViolation,
    options: {
      readonly intensities?: Readonly<Record<string, Intensity>>;
      readonly shutdownMs?: number;
    } = {},
  ) {
    this.#violate = violate;
    this.#intensities = options.intensities ?? {};
    this.#shutdownMs = options.shutdownMs ?? shutdownMsDefault;
  }

  take(event: HistoryEvent): void {
    this.#lastMs = event.atMs;
    if (event.type === "start") this.#started(event);
    else if (event.type === "end") this.#stopped(event);
    else if (event.type === "census") this.#counted(event);
  }

  finish(): void {
    for (const child of this.#children.values()) {
      const supervisorEnd = this.#gone.get(child.supervisor!);
      if (supervisorEnd === undefined) continue;
      const forMs = this.#lastMs - supervisorEnd.atMs;
      if (forMs > this.#shutdownMs)
        this.#violate({
          promise: "S3",
          message: `child ${child.child} (${child.pid}) still lived ${forMs} ms after its supervisor ${child.supervisor} had ended`,
          events: [child, supervisorEnd],
        });
    }
  }

  #started(event: LifeEvent): void {
    if (event.supervisor === undefined || event.child === undefined) return;
    const key = childKey(event);
    const other = this.#children.get(key);
    if (other !== undefined)
      this.#violate({
        promise: "S1",
        message: `${event.supervisor} had two children ${event.child}: ${other.pid} and ${event.pid}`,
        events: [other, event],
      });
    const supervisorEnd = this.#gone.get(event.supervisor);
    if (supervisorEnd !== undefined)
      this.#violate({
        promise: "S3",
        message: `${event.supervisor} started child ${event.child} (${event.pid}) after it had ended`,
        events: [supervisorEnd, event],
      });
    this.#children.set(key, event);
    if (this.#ended.has(key)) this.#restarted(event);
    this.#ended.delete(key);
  }

  #restarted(event: LifeEvent): void {
    const intensity = this.#intensities[event.supervisor!];
    if (intensity === undefined) return;
    const windowMs = intensity.maxSeconds * 1_000;
    const restarts = (this.#restarts.get(event.supervisor!) ?? []).filter(
      ({ atMs }) => event.atMs - atMs < windowMs,
    );
    restarts.push(event);
    this.#restarts.set(event.supervisor!, restarts);
    if (restarts.length <= intensity.maxRestarts) return;
    const withinMs = event.atMs - restarts[0]!.atMs;
    this.#violate({
      promise: "S2",
      message: `${event.supervisor} restarted ${restarts.length} times within ${withinMs} ms, and ${intensity.maxRestarts} in ${windowMs} ms are allowed`,
      events: restarts,
    });
  }

  #stopped(event: LifeEvent): void {
    this.#gone.set(event.pid, event);
    if (event.supervisor === undefined || event.child === undefined) return;
    const key = childKey(event);
    if (this.#children.get(key)?.pid !== event.pid) return;
    this.#children.delete(key);
    this.#ended.set(key, event);
  }

  /** A node that does the same as before holds no more than before. */
  #counted(event: CensusEvent): void {
    const before = this.#census.get(event.node);
    this.#census.set(event.node, before ?? event);
    if (before === undefined) return;
    for (const [what, count] of Object.entries(event.counts)) {
      const atFirst = before.counts[what] ?? 0;
      if (count <= atFirst) continue;
      this.#violate({
        promise: "S3",
        message: `node ${event.node} held ${count} ${what} at ${event.atMs} ms, and ${atFirst} at ${before.atMs} ms`,
        events: [before, event],
      });
    }
  }
}

function childKey({ supervisor, child }: LifeEvent): string {
  return `${supervisor} ${child}`;
}
