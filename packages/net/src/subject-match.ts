/**
 * Matching of dot-separated subjects against patterns, as NATS does.
 *
 * @module
 */

/** Whether `subject` matches `pattern`: `*` stands for one token, a last `>` for one or more. */
export function subjectMatches(pattern: string, subject: string): boolean {
  return pattern === subject || tokensMatch(pattern.split("."), subject.split("."));
}

/** As {@link subjectMatches}, of a pattern and a subject whose tokens are at hand. */
export function tokensMatch(wanted: readonly string[], tokens: readonly string[]): boolean {
  for (let index = 0; index < wanted.length; index += 1) {
    const token = wanted[index]!;
    if (token === ">") return tokens.length > index;
    if (tokens[index] === undefined || (token !== "*" && token !== tokens[index])) return false;
  }
  return wanted.length === tokens.length;
}
