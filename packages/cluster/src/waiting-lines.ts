/**
 * Lines of calls that wait for a name: who came first goes first.
 *
 * @module
 */

/** A place in a line. */
export interface Place {
  readonly isFirst: () => boolean;
  /** Lets the next one go. Does nothing for one that is in no line. */
  readonly leave: () => void;
  /** Goes to the end of the line. */
  readonly enter: () => void;
  /** Runs when the place becomes the first. */
  onFirst: (() => void) | undefined;
}

export class WaitingLines {
  readonly #lines = new Map<string, Set<Place>>();

  isEmpty(name: string): boolean {
    return !this.#lines.has(name);
  }

  /** A place that is in no line yet. */
  create(name: string): Place {
    const place: Place = {
      isFirst: () => {
        const [first] = this.#lines.get(name) ?? [];
        return first === place;
      },
      leave: () => this.#leave(name, place),
      enter: () => this.#enter(name, place),
      onFirst: undefined,
    };
    return place;
  }

  #enter(name: string, place: Place): void {
    const line = this.#lines.get(name) ?? new Set();
    this.#lines.set(name, line.add(place));
  }

  #leave(name: string, place: Place): void {
    const line = this.#lines.get(name);
    if (line?.delete(place) !== true) return;
    if (line.size === 0) this.#lines.delete(name);
    const [next] = line;
    next?.onFirst?.();
  }
}
