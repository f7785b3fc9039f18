/**
 * The order of calls to a name: who waits, who is under way, and whether a call may still be sent without overtaking.
 *
 * Invariants:
 *   WL1. Who waits goes in the order of the tickets, also one that was under way, did not run, and came back.
 *   WL2. A call that came back is overtaken once one with a later ticket may have run: it is not to be sent again (C3).
 *   WL3. So that this is rare, a call waits for those under way to another process of the name, and one that came back for
 *        those with later tickets: they may be coming back too.
 *
 * @module
 */
import { type Pid, samePid } from "@coppice/kernel";

/** A place in a line. */
export interface Place {
  readonly ticket: number;
  readonly isFirst: () => boolean;
  /** Lets the next one go. Does nothing for one that is in no line. */
  readonly leave: () => void;
  /** Goes where the ticket belongs. */
  readonly enter: () => void;
  /** Whether it was under way and came back. */
  readonly hasReturned: boolean;
  readonly enteredMs: number;
  /** Runs when it may be this one's turn. */
  onFirst: (() => void) | undefined;
}

/** What is known of a name while calls to it wait or are under way. */
interface Line {
  /** In the order of the tickets. */
  readonly places: Place[];
  underWay: number;
  /** The latest ticket of them. */
  latestWent: number;
  /** Where the calls under way went. */
  pid: Pid | undefined;
  /** The latest ticket of a call that may have run. */
  latestRan: number;
}

export class WaitingLines {
  readonly #lines = new Map<string, Line>();
  #tickets = 0;

  /** For a call that begins. */
  takeTicket(): number {
    this.#tickets += 1;
    return this.#tickets;
  }

  /** Whether nobody waits. */
  isEmpty(name: string): boolean {
    const line = this.#lines.get(name);
    return line === undefined || line.places.length === 0;
  }

  /** A place that is in no line yet. */
  create(
    name: string,
    ticket: number,
    how: { readonly hasReturned: boolean; readonly nowMs: number },
  ): Place {
    const place: Place = {
      ticket,
      hasReturned: how.hasReturned,
      enteredMs: how.nowMs,
      isFirst: () => this.#lines.get(name)?.places[0] === place,
      leave: () => this.#leave(name, place),
      enter: () => this.#enter(name, place),
      onFirst: undefined,
    };
    return place;
  }

  /** Whether nothing is under way that a call to that process had better wait for (WL3). */
  mayGo(name: string, pid: Pid, place: Place | undefined): boolean {
    const line = this.#lines.get(name);
    if (line === undefined || line.underWay === 0) return true;
    return place?.hasReturned === true
      ? !this.isFollowed(name, place.ticket)
      : samePid(line.pid!, pid);
  }

  /** A call is under way. */
  went(name: string, ticket: number, pid: Pid): void {
    const line = this.#lineOf(name);
    line.underWay += 1;
    line.latestWent = Math.max(line.latestWent, ticket);
    line.pid = pid;
  }

  /** A call is not under way any more. `ran`: whether it may have. */
  settled(name: string, ticket: number, ran: boolean): void {
    const line = this.#lines.get(name)!;
    line.underWay -= 1;
    if (ran && ticket > line.latestRan) line.latestRan = ticket;
    if (line.underWay > 0) return;
    if (line.places.length === 0) this.#lines.delete(name);
    else line.places[0]!.onFirst?.();
  }

  /** Whether a call with a later ticket may have run (WL2). */
  isOvertaken(name: string, ticket: number): boolean {
    return (this.#lines.get(name)?.latestRan ?? 0) > ticket;
  }

  /** Whether one with a later ticket is under way. */
  isFollowed(name: string, ticket: number): boolean {
    const line = this.#lines.get(name);
    return line !== undefined && line.underWay > 0 && line.latestWent > ticket;
  }

  #lineOf(name: string): Line {
    let line = this.#lines.get(name);
    if (line === undefined) {
      line = { places: [], underWay: 0, latestWent: 0, pid: undefined, latestRan: 0 };
      this.#lines.set(name, line);
    }
    return line;
  }

  #enter(name: string, place: Place): void {
    const { places } = this.#lineOf(name);
    if (places.includes(place)) return;
    const after = places.findIndex(({ ticket }) => ticket > place.ticket);
    places.splice(after < 0 ? places.length : after, 0, place);
  }

  #leave(name: string, place: Place): void {
    const line = this.#lines.get(name);
    const at = line?.places.indexOf(place) ?? -1;
    if (line === undefined || at < 0) return;
    line.places.splice(at, 1);
    if (line.places.length > 0) line.places[0]!.onFirst?.();
    else if (line.underWay === 0) this.#lines.delete(name);
  }
}
