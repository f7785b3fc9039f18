/**
 * Who is interested in a subject, found token by token: the cost does not grow with the number of patterns.
 *
 * @module
 */

/** What shares its first tokens. */
interface Level<T> {
  readonly below: Map<string, Level<T>>;
  /** Of patterns that end here. */
  readonly here: Set<T>;
  /** Of patterns whose last token here is `>`. */
  readonly rest: Set<T>;
}

/** Values by pattern: `*` is one token, a last `>` one or more. */
export class SubjectIndex<T> {
  readonly #top = level<T>();

  add(pattern: string, value: T): void {
    let at = this.#top;
    for (const token of pattern.split(".")) {
      if (token === ">") return void at.rest.add(value);
      let next = at.below.get(token);
      if (next === undefined) {
        next = level<T>();
        at.below.set(token, next);
      }
      at = next;
    }
    at.here.add(value);
  }

  remove(pattern: string, value: T): void {
    remove(this.#top, pattern.split("."), 0, value);
  }

  /** The values of every pattern that a subject matches. */
  matching(subject: string): T[] {
    const found: T[] = [];
    collect(this.#top, subject.split("."), 0, found);
    return found;
  }
}

function level<T>(): Level<T> {
  return { below: new Map(), here: new Set(), rest: new Set() };
}

function collect<T>(at: Level<T>, tokens: readonly string[], index: number, found: T[]): void {
  if (index === tokens.length) return void found.push(...at.here);
  const token = tokens[index]!;
  const same = at.below.get(token);
  if (same !== undefined) collect(same, tokens, index + 1, found);
  const any = token === "*" ? undefined : at.below.get("*");
  if (any !== undefined) collect(any, tokens, index + 1, found);
  found.push(...at.rest);
}

/** Returns whether nothing is left: an empty level is dropped by the one above. */
function remove<T>(at: Level<T>, tokens: readonly string[], index: number, value: T): boolean {
  const token = tokens[index];
  const below = token === undefined ? undefined : at.below.get(token);
  if (token === ">") at.rest.delete(value);
  else if (token === undefined) at.here.delete(value);
  else if (below !== undefined && remove(below, tokens, index + 1, value)) at.below.delete(token);
  return at.below.size + at.here.size + at.rest.size === 0;
}
