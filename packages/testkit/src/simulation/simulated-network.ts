/**
 * The network of a simulation: who is interested in what, and which machines cannot hear which.
 *
 * It stands for the NATS servers. A pair of machines that is cut hears nothing of each other in that direction, while
 * both reach the network; nobody is told, and a request is not answered with "no responders".
 *
 * @module
 */
import { type Message, tokensMatch } from "@coppice/net";
import type { Trace } from "./trace.ts";

/** Somebody's interest in a subject. */
export interface Interest {
  readonly owner: Subscriber;
  readonly pattern: string;
  readonly queue: string | undefined;
  readonly onMessage: (message: Message) => unknown;
}

/** A connection, as the network sees it. */
export interface Subscriber {
  /** Whose it is. */
  readonly machine: string;
  /** Whether the network takes it for connected. */
  readonly isKnown: boolean;
  readonly arrive: (interest: Interest, message: Message) => void;
  /** An answer to a request of this connection. */
  readonly answer: (message: Message) => void;
}

const inboxPrefix = "_INBOX.";

export class SimulatedNetwork {
  readonly #trace: Trace;
  readonly #exact = new Map<string, Set<Interest>>();
  /** With the tokens of their patterns. */
  readonly #patterns = new Map<Interest, readonly string[]>();
  /** By the token of their inboxes. */
  readonly #connections = new Map<string, Subscriber>();
  /** Which member of each queue group is next. */
  readonly #turns = new Map<string, number>();
  readonly #cut = new Set<string>();
  /** The members of the last delivery, by subject: most subjects repeat. A change forgets those that it may concern. */
  readonly #matches = new Map<string, readonly Interest[]>();

  constructor(trace: Trace) {
    this.#trace = trace;
  }

  /** A new connection. Returns what its inboxes begin with. */
  join(subscriber: Subscriber): string {
    const token = String(this.#connections.size + 1);
    this.#connections.set(token, subscriber);
    return `${inboxPrefix}${token}.`;
  }

  /** From now on `to` hears nothing of `from`, or does again. */
  setCut(from: string, to: string, isCut: boolean): void {
    if (isCut) this.#cut.add(`${from}>${to}`);
    else this.#cut.delete(`${from}>${to}`);
  }

  /** Ends every cut between machines. */
  healAll(): void {
    this.#cut.clear();
  }

  isCut(from: string, to: string): boolean {
    return this.#cut.size > 0 && this.#cut.has(`${from}>${to}`);
  }

  add(interest: Interest): void {
    const { pattern } = interest;
    this.#forget(pattern);
    if (isPattern(pattern)) this.#patterns.set(interest, pattern.split("."));
    else if (this.#exact.get(pattern)?.add(interest) === undefined)
      this.#exact.set(pattern, new Set([interest]));
  }

  remove(interest: Interest): void {
    this.#forget(interest.pattern);
    this.#patterns.delete(interest);
    const same = this.#exact.get(interest.pattern);
    same?.delete(interest);
    if (same?.size === 0) this.#exact.delete(interest.pattern);
  }

  /** Hands a message on. Returns to how many, as far as the network knows. */
  route(message: Message, from: string): number {
    const { subject, data } = message;
    if (subject.startsWith(inboxPrefix)) return this.#answer(message, from);
    let count = 0;
    let groups: Map<string, Interest[]> | undefined;
    for (const interest of this.#matching(subject)) {
      if (!interest.owner.isKnown) continue;
      if (interest.queue === undefined) {
        count += 1;
        this.#hand(interest, message, from);
      } else {
        groups ??= new Map();
        const key = `${interest.pattern} ${interest.queue}`;
        groups.set(key, [...(groups.get(key) ?? []), interest]);
      }
    }
    for (const [key, members] of groups ?? []) {
      const turn = this.#turns.get(key) ?? 0;
      this.#turns.set(key, turn + 1);
      count += 1;
      this.#hand(members[turn % members.length]!, message, from);
    }
    if (count === 0) this.#trace.note("unheard", subject, { from, data });
    return count;
  }

  #hand(interest: Interest, message: Message, from: string): void {
    const to = interest.owner.machine;
    const isLost = this.isCut(from, to);
    this.#trace.note(isLost ? "lost" : "message", message.subject, {
      from,
      to,
      data: message.data,
    });
    if (!isLost) interest.owner.arrive(interest, message);
  }

  #answer(message: Message, from: string): number {
    const token = message.subject.slice(inboxPrefix.length).split(".")[0]!;
    const asker = this.#connections.get(token);
    if (asker?.isKnown !== true) return 0;
    if (!this.isCut(from, asker.machine)) asker.answer(message);
    return 1;
  }

  #forget(pattern: string): void {
    if (isPattern(pattern)) this.#matches.clear();
    else this.#matches.delete(pattern);
  }

  #matching(subject: string): readonly Interest[] {
    const known = this.#matches.get(subject);
    if (known !== undefined) return known;
    const all = [...(this.#exact.get(subject) ?? [])];
    const tokens = subject.split(".");
    for (const [interest, wanted] of this.#patterns)
      if (tokensMatch(wanted, tokens)) all.push(interest);
    this.#matches.set(subject, all);
    return all;
  }
}

function isPattern(pattern: string): boolean {
  return pattern.includes("*") || pattern.includes(">");
}
