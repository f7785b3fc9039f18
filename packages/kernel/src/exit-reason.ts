/**
 * Exit reasons: why a process ended, as plain data that crosses threads and nodes.
 *
 * Source: OTP's conventions (conformance statements A1.1 to A1.4).
 *
 * @module
 */
import { copyPlainData } from "./plain-data.ts";

/** An error as data. Classes do not cross a process boundary; this does. */
export interface ErrorData {
  readonly name: string;
  readonly message: string;
  /** Where it was thrown, one frame a line, if known. */
  readonly stack?: string;
  /** The stable code of the error, if it had one. */
  readonly code?: string;
  /** Further plain fields a report should show: a component's stderr, the function it was in. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Why a process ended. */
export type ExitReason =
  /** Its work was done. */
  | { readonly type: "normal" }
  /** It was asked to stop, in an orderly way. */
  | { readonly type: "shutdown"; readonly detail?: unknown }
  /** `exit(pid, kill)` on itself, or sent: what a receiver of an untrappable kill sees is `killed`. */
  | { readonly type: "kill" }
  | { readonly type: "killed" }
  /** It did not exist. */
  | { readonly type: "noproc" }
  /** Its node is unreachable; it may still run, but nothing it does is accepted any more. */
  | { readonly type: "noconnection" }
  /** It crashed. */
  | { readonly type: "error"; readonly error: ErrorData }
  /** `exit(reason)` with a reason of the program's own. */
  | { readonly type: "exit"; readonly value: unknown };

export const normal: ExitReason = { type: "normal" };
export const shutdown: ExitReason = { type: "shutdown" };
export const kill: ExitReason = { type: "kill" };
export const killed: ExitReason = { type: "killed" };
export const noproc: ExitReason = { type: "noproc" };
export const noconnection: ExitReason = { type: "noconnection" };

/** Normal-like reasons are not crashes: nothing is logged, and a transient child is not restarted (A1.2). */
export function isNormalLike(reason: ExitReason): boolean {
  return reason.type === "normal" || reason.type === "shutdown";
}

/** The exit reason of a process whose code threw `thrown`, whatever that was. Never throws itself. */
export function crashed(thrown: unknown): ExitReason {
  return { type: "error", error: errorData(thrown) };
}

/**
 * The reason as plain data: what a program put into it may be anything, and it must cross to those who are told. What
 * cannot cross becomes a text.
 */
export function plainReason(reason: ExitReason): ExitReason {
  switch (reason.type) {
    case "exit":
      return { type: "exit", value: plainOrText(reason.value) };
    case "shutdown":
      return reason.detail === undefined
        ? reason
        : { type: "shutdown", detail: plainOrText(reason.detail) };
    default:
      return reason;
  }
}

function plainOrText(value: unknown): unknown {
  try {
    return copyPlainData(value, "reason");
  } catch {
    return printable(value);
  }
}

function plainRecord(value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plainOrText(item)]));
}

/** The longest stack kept in an exit reason, in characters. */
const stackLengthMax = 8_000;

/** An error as data. Copes with `null`, primitives, and objects whose getters throw. */
export function errorData(thrown: unknown): ErrorData {
  try {
    if (!(thrown instanceof Error)) return { name: "Thrown", message: printable(thrown) };
    const { name, message, stack } = thrown;
    const { code, details } = thrown as { code?: unknown; details?: unknown };
    return {
      name: String(name),
      message: String(message),
      ...(typeof stack === "string" ? { stack: stack.slice(0, stackLengthMax) } : {}),
      ...(typeof code === "string" ? { code } : {}),
      ...(isRecord(details) ? { details: plainRecord(details) } : {}),
    };
  } catch {
    return { name: "Error", message: "an error that cannot be read" };
  }
}

/** One line for people. */
export function describeReason(reason: ExitReason): string {
  switch (reason.type) {
    case "error":
      return `${reason.error.name}: ${reason.error.message}`;
    case "exit":
      return `exit ${printable(reason.value)}`;
    case "shutdown":
      return reason.detail === undefined ? "shutdown" : `shutdown ${printable(reason.detail)}`;
    default:
      return reason.type;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function printable(value: unknown): string {
  if (typeof value === "string") return value;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}
