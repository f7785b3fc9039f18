/**
 * The subjects of the cluster's services: topics and their patterns, and the pulse of every node.
 *
 * @module
 */
import { escapeToken, type Subjects, unescapeToken } from "@coppice/net";

/** The longest name as a token of a subject or a key, in characters after escaping. */
export const tokenLengthMax = 200;
/** The longest topic as a subject, in characters after escaping. */
export const topicLengthMax = 1_000;

/** Every argument is plain text; what is returned is escaped. */
export class ServiceSubjects {
  readonly #root: string;

  constructor(subjects: Subjects) {
    this.#root = subjects.beatAll.slice(0, -"beat.*".length);
  }

  /** Where a node says what its services have sent so far. */
  pulse(node: string): string {
    return `${this.#root}pulse.${escapeToken(node)}`;
  }

  get pulseAll(): string {
    return `${this.#root}pulse.*`;
  }

  /** Where one topic is broadcast. @throws {RangeError} for a pattern, or a topic that is too long. */
  topic(topic: string): string {
    if (isPattern(topic))
      throw new RangeError(`${topic} is a pattern: a broadcast goes to one topic`);
    return this.topicPattern(topic);
  }

  /**
   * What a subscription listens to: `*` stands for one token, a last `>` for one or more; every other token is literal.
   *
   * @throws {RangeError} for a `>` that is not last, or a pattern that is too long.
   */
  topicPattern(pattern: string): string {
    if (!pattern.isWellFormed())
      throw new RangeError(`the topic ${JSON.stringify(pattern)} is not well-formed text`);
    const tokens = pattern.split(".");
    if (tokens.slice(0, -1).includes(">"))
      throw new RangeError(`${pattern}: ">" stands for the rest of a topic, so it must be last`);
    const escaped = tokens.map((token) => (isWildcard(token) ? token : escapeToken(token)));
    const text = escaped.join(".");
    if (text.length > topicLengthMax)
      throw new RangeError(
        `the topic ${pattern.slice(0, 40)}… is too long: ${text.length} characters of at most ${topicLengthMax}`,
      );
    return `${this.#root}topic.${text}`;
  }

  /** The topic of a subject; undefined for another subject. */
  parseTopic(subject: string): string | undefined {
    const prefix = `${this.#root}topic.`;
    if (!subject.startsWith(prefix)) return undefined;
    const tokens = subject.slice(prefix.length).split(".").map(unescapeToken);
    return tokens.includes(undefined) ? undefined : tokens.join(".");
  }
}

/** Whether a topic has a wildcard among its tokens. */
export function isPattern(topic: string): boolean {
  return topic.split(".").some(isWildcard);
}

function isWildcard(token: string): boolean {
  return token === "*" || token === ">";
}
