/**
 * T1: a jump of a wall clock changes nothing: no name changes its node, no call fails.
 *
 * @module
 */
import type { FaultEvent, HistoryEvent, OwnershipEvent } from "../history.ts";
import type { OnViolation, StreamCheck } from "./stream-check.ts";

/** The kinds of jumps of wall clocks. */
export const jumpKinds: ReadonlySet<string> = new Set(["wall", "wall-jump", "clock_jump"]);

/** For so long after a jump nothing may follow from it, in milliseconds: a lease and its takeover. */
export const jumpEffectMsDefault = 4_300;

/** For so long after another fault names may still move back to where they are best placed, in milliseconds. */
const rebalanceMs = 30_000;

/** Says something only where no other fault is near: of a jump that is not alone nothing is known. */
export class ClockChecks implements StreamCheck {
  readonly #violate: OnViolation;
  readonly #effectMs: number;
  readonly #owners = new Map<string, OwnershipEvent>();
  #jump: FaultEvent | undefined;
  #othersUntilMs = -Infinity;
  /** What happened since the jump: it counts once no other fault has come near. */
  #suspects: { readonly message: string; readonly events: readonly HistoryEvent[] }[] = [];

  constructor(violate: OnViolation, options: { readonly effectMs?: number } = {}) {
    this.#violate = violate;
    this.#effectMs = options.effectMs ?? jumpEffectMsDefault;
  }

  take(event: HistoryEvent): void {
    if (this.#jump !== undefined && event.atMs > this.#jump.atMs + this.#effectMs) this.#judge();
    if (event.type === "fault") this.#faulted(event);
    else if (event.type === "ownership") this.#owned(event);
    else if (event.type === "outcome" && event.outcome !== "answer" && event.code !== "cast")
      this.#suspect(`call ${event.id} failed (${event.code})`, event);
  }

  finish(): void {
    this.#judge();
  }

  #faulted(event: FaultEvent): void {
    if (jumpKinds.has(event.kind)) {
      this.#judge();
      if (event.atMs > this.#othersUntilMs + this.#effectMs) this.#jump = event;
      return;
    }
    this.#othersUntilMs = Math.max(this.#othersUntilMs, event.untilMs);
    this.#jump = undefined;
    this.#suspects = [];
  }

  #owned(event: OwnershipEvent): void {
    const before = this.#owners.get(event.name);
    this.#owners.set(event.name, event);
    const isSettled =
      this.#jump !== undefined && this.#jump.atMs > this.#othersUntilMs + rebalanceMs;
    if (before !== undefined && before.owner !== event.owner && isSettled)
      this.#suspect(
        `${event.name} went from ${before.owner ?? "nobody"} to ${event.owner ?? "nobody"}`,
        event,
      );
  }

  #suspect(message: string, event: HistoryEvent): void {
    if (this.#jump === undefined) return;
    this.#suspects.push({ message, events: [this.#jump, event] });
  }

  #judge(): void {
    const jump = this.#jump;
    for (const { message, events } of jump === undefined ? [] : this.#suspects)
      this.#violate({
        promise: "T1",
        message: `${message} at ${events[1]!.atMs} ms, after the wall clock of ${jump!.targets.join(", ")} jumped at ${jump!.atMs} ms`,
        events,
      });
    this.#jump = undefined;
    this.#suspects = [];
  }
}
