/**
 * Lines of calls that wait for a name: who was made first goes first.
 *
 * @module
 */

/** A place in a line. */
export interface Place {
  readonly isFirst: () => boolean;
  /** Lets the next one go. Does nothing for one that is in no line. */
  readonly leave: () => void;
  /** Goes into the line: behind those made earlier, before those made later, also when it was in the line before. */
  readonly enter: () => void;
  /** Runs when the place becomes the first. */
  onFirst: (() => void) | undefined;
}

interface Waiting extends Place {
  /** When the call was made: the smaller, the earlier. */
  readonly order: number;
}

export class WaitingLines {
  readonly #lines = new Map<string, Waiting[]>();
  #orders = 0;

  isEmpty(name: string): boolean {
    return !this.#lines.has(name);
  }

  /** Notes that a call is made now. */
  nextOrder(): number {
    this.#orders += 1;
    return this.#orders;
  }

  /** A place that is in no line yet, for the call of this order. */
  create(name: string, order: number): Place {
    const place: Waiting = {
      order,
      isFirst: () => this.#lines.get(name)?.[0] === place,
      leave: () => this.#leave(name, place),
      enter: () => this.#enter(name, place),
      onFirst: undefined,
    };
    return place;
  }

  #enter(name: string, place: Waiting): void {
    const line = this.#lines.get(name) ?? [];
    this.#lines.set(name, line);
    // Nearly always at the end.
    const after = line.findLastIndex(({ order }) => order <= place.order);
    if (line[after] !== place) line.splice(after + 1, 0, place);
  }

  #leave(name: string, place: Waiting): void {
    const line = this.#lines.get(name);
    const index = line?.indexOf(place) ?? -1;
    if (line === undefined || index < 0) return;
    line.splice(index, 1);
    if (line.length === 0) this.#lines.delete(name);
    line[0]?.onFirst?.();
  }
}
