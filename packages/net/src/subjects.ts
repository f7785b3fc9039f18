/**
 * The NATS subjects of a cluster, and the text that goes into their tokens.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** The first tokens of every subject: another version of the protocol has others. */
export const subjectRoot = "coppice.v1";

/** The longest token, in characters, after escaping. */
export const tokenLengthMax = 200;

const plain = /^[A-Za-z0-9_-]+$/;

/**
 * Any text as one subject token: `A-Z a-z 0-9 _ -` as they are, every other byte of its UTF-8 as `=HH`, no text as `=`.
 *
 * @throws {RangeError} if the token is longer than {@link tokenLengthMax}, or the text holds half a character.
 */
export function escapeToken(text: string): string {
  if (text === "") return "=";
  if (text.length <= tokenLengthMax && plain.test(text)) return text;
  // Every half of a pair has the same UTF-8: two names would be one.
  if (!text.isWellFormed())
    throw new RangeError(
      `the name ${text.slice(0, 40)} is not well-formed: it holds half a character`,
    );
  const escape = (character: string): string =>
    [...Buffer.from(character)]
      .map((byte) => `=${byte.toString(16).toUpperCase().padStart(2, "0")}`)
      .join("");
  const token = text.replaceAll(/[^A-Za-z0-9_-]/gu, escape);
  if (token.length > tokenLengthMax)
    throw new RangeError(
      `the name ${text.slice(0, 40)}… is too long: ${token.length} characters of at most ${tokenLengthMax}`,
    );
  return token;
}

/** The text of a token; undefined for one {@link escapeToken} does not make. */
export function unescapeToken(token: string): string | undefined {
  if (token === "=") return "";
  if (token.length > tokenLengthMax || !/^(?:[A-Za-z0-9_-]|=[0-9A-F]{2})+$/.test(token))
    return undefined;
  const bytes = Buffer.from(
    token.replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
    "latin1",
  );
  const text = bytes.toString("utf8");
  return escapeToken(text) === token ? text : undefined;
}

/** The subjects of one cluster. Every argument is plain text; what is returned is escaped. */
export class Subjects {
  readonly #prefix: string;

  constructor(cluster: string) {
    this.#prefix = `${subjectRoot}.${escapeToken(cluster)}`;
  }

  /** Signals from one node to another: one ordered channel a pair (A6.1). */
  node(to: string, from: string): string {
    return `${this.#prefix}.node.${escapeToken(to)}.${escapeToken(from)}`;
  }

  /** Every signal to a node. */
  nodeAll(to: string): string {
    return `${this.#prefix}.node.${escapeToken(to)}.*`;
  }

  /** The node that a subject of {@link nodeAll} says its message is from; undefined for another subject. */
  senderOf(subject: string): string | undefined {
    const token = subject.slice(subject.lastIndexOf(".") + 1);
    return unescapeToken(token);
  }

  /** A node's heartbeat. */
  beat(node: string): string {
    return `${this.#prefix}.beat.${escapeToken(node)}`;
  }

  get beatAll(): string {
    return `${this.#prefix}.beat.*`;
  }

  /** Answered as long as that life of the node has a connection. */
  probe(node: string, incarnation: string): string {
    return `${this.#prefix}.probe.${escapeToken(node)}.${escapeToken(incarnation)}`;
  }

  /** A pubsub topic: its dot-separated tokens; the last dots of the subject are its own. */
  topic(topic: string): string {
    return `${this.#prefix}.topic.${topic.split(".").map(escapeToken).join(".")}`;
  }

  /** The open door: a call by any NATS client. */
  call(name: string, method: string): string {
    return `${this.#prefix}.call.${escapeToken(name)}.${escapeToken(method)}`;
  }

  get callAll(): string {
    return `${this.#prefix}.call.>`;
  }

  /** The name and function a call subject asks for; undefined for another subject. */
  parseCall(subject: string): { readonly name: string; readonly method: string } | undefined {
    const prefix = `${this.#prefix}.call.`;
    if (!subject.startsWith(prefix)) return undefined;
    const [name, method, ...more] = subject.slice(prefix.length).split(".").map(unescapeToken);
    if (name === undefined || method === undefined || more.length > 0) return undefined;
    return { name, method };
  }

  /** Where the command line asks who is there: every node answers. */
  get anyAdmin(): string {
    return `${this.#prefix}.admin`;
  }

  /** Requests of the command line to one node. */
  admin(node: string): string {
    return `${this.#prefix}.admin.${escapeToken(node)}`;
  }
}
