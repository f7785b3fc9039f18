/**
 * Signals as frames: a fixed header with what routes them, and a msgpack body with what they carry.
 *
 * Layout, big endian, 24 bytes and the body:
 *
 *    0  u8   kind of signal
 *    1  u8   flags: 1, the reply or answer is a failure, the exit comes from a link, or it is for a name: then the
 *            body is the name and what would be the body
 *    2  u16  zero
 *    4  u32  length of the body
 *    8  f64  correlation id: which call, monitor, watcher or deferred call; 0 where there is none
 *   16  f64  serial number of the process it goes to, or of the one that is down; 0 for a reply
 *
 * What the envelope says already is not repeated: a process it goes to lives on the receiver, where a reply goes to is
 * the sender. So nobody can ask in another node's name.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import {
  assertPlainData,
  type CallFailure,
  type ExitReason,
  type NodeAddress,
  type Outcome,
  Pid,
  type Signal,
} from "@coppice/kernel";
import { decodeRange } from "./codec.ts";
import { BadFrameError, type Range } from "./frame-limits.ts";

/** In bytes. */
export const frameHeaderLength = 24;

/** Numbers on the wire: never reused. */
export const signalKinds = {
  send: 1,
  cast: 2,
  call: 3,
  reply: 4,
  exit: 5,
  link: 6,
  unlink: 7,
  monitor: 8,
  demonitor: 9,
  down: 10,
  answer: 11,
} as const satisfies Readonly<Record<Signal["type"], number>>;

const flagged = 1;

/** A signal, apart from its body. */
export interface FrameHeader {
  readonly kind: number;
  readonly flags: number;
  readonly id: number;
  readonly serial: number;
}

/** What the frame of a signal says in its header. */
export function headerOf(signal: Signal): FrameHeader {
  const kind = signalKinds[signal.type];
  switch (signal.type) {
    case "call":
    case "monitor":
      return { kind, flags: nameFlag(signal.name), id: signal.id, serial: signal.to.serial };
    case "send":
    case "cast":
      return { kind, flags: nameFlag(signal.name), id: 0, serial: signal.to.serial };
    case "demonitor":
      return { kind, flags: 0, id: signal.id, serial: signal.to.serial };
    case "reply":
      return { kind, flags: signal.outcome.ok ? 0 : flagged, id: signal.id, serial: 0 };
    case "answer": {
      const { tag: id, to, outcome } = signal;
      return { kind, flags: outcome.ok ? 0 : flagged, id, serial: to.serial };
    }
    case "down":
      return { kind, flags: 0, id: signal.id, serial: signal.pid.serial };
    case "exit":
      return { kind, flags: signal.linked ? flagged : 0, id: 0, serial: signal.to.serial };
    default:
      return { kind, flags: 0, id: 0, serial: signal.to.serial };
  }
}

function nameFlag(name: string | undefined): number {
  return name === undefined ? 0 : flagged;
}

/**
 * What the body of a signal's frame holds.
 *
 * Messages, arguments and returned values have been checked by the kernel; reasons and failures are checked here.
 *
 * @throws {NotPlainDataError} for a reason or a failure that is not plain data.
 */
export function bodyOf(signal: Signal): unknown {
  if ("name" in signal && signal.name !== undefined) return [signal.name, unnamedBodyOf(signal)];
  return unnamedBodyOf(signal);
}

function unnamedBodyOf(signal: Signal): unknown {
  switch (signal.type) {
    case "send":
      return signal.message;
    case "cast":
    case "call":
      return [signal.method, signal.args];
    case "reply":
    case "answer":
      if (signal.outcome.ok) return signal.outcome.value;
      assertPlainData(signal.outcome.failure, "failure");
      return signal.outcome.failure;
    case "exit":
      assertPlainData(signal.reason, "reason");
      return [signal.from, signal.reason];
    case "link":
    case "unlink":
      return signal.from;
    case "monitor":
    case "demonitor":
      return null;
    case "down":
      assertPlainData(signal.reason, "reason");
      return signal.reason;
  }
}

export function writeFrameHeader(
  packet: Buffer,
  at: number,
  { kind, flags, id, serial }: FrameHeader,
  bodyLength: number,
): void {
  packet[at] = kind;
  packet[at + 1] = flags;
  packet[at + 2] = 0;
  packet[at + 3] = 0;
  packet.writeUInt32BE(bodyLength, at + 4);
  packet.writeDoubleBE(id, at + 8);
  packet.writeDoubleBE(serial, at + 16);
}

/** Who sent a packet, and to whom. */
export interface Ends {
  readonly from: NodeAddress;
  readonly to: NodeAddress;
}

/**
 * Reads the frame at `at`, whose body ends at `body.end`. Undefined: a kind of signal that this version does not know.
 *
 * @throws {BadFrameError} if it is none.
 */
export function readSignal(
  packet: Buffer,
  at: number,
  body: Range,
  ends: Ends,
): Signal | undefined {
  const kind = packet[at];
  const flags = packet[at + 1]!;
  if (flags > flagged || packet.readUInt16BE(at + 2) !== 0)
    throw new BadFrameError("an unknown flag is set");
  const isFlagged = flags === flagged;
  const id = packet.readDoubleBE(at + 8);
  const serial = packet.readDoubleBE(at + 16);
  if (!isCount(id) || !isCount(serial)) throw new BadFrameError("a number is none");
  const value = decodeRange(packet, body);
  const { from: origin, to: self } = ends;
  switch (kind) {
    case signalKinds.send: {
      const to = pidAt(self, serial);
      if (!isFlagged) return { type: "send", to, message: value };
      const { name, body: message } = addressed(value);
      return { type: "send", to, name, message };
    }
    case signalKinds.cast: {
      const to = pidAt(self, serial);
      if (!isFlagged) return { type: "cast", to, ...request(value) };
      const { name, body } = addressed(value);
      return { type: "cast", to, name, ...request(body) };
    }
    case signalKinds.call: {
      const to = pidAt(self, serial);
      if (!isFlagged) return { type: "call", to, id, origin, ...request(value) };
      const { name, body } = addressed(value);
      return { type: "call", to, name, id, origin, ...request(body) };
    }
    case signalKinds.reply:
      return { type: "reply", to: self, id, outcome: outcomeOf(isFlagged, value) };
    case signalKinds.answer: {
      const outcome = outcomeOf(isFlagged, value);
      return { type: "answer", to: pidAt(self, serial), tag: id, outcome };
    }
    case signalKinds.exit: {
      const [from, reason, ...more] = list(value);
      if (more.length > 0) throw new BadFrameError("an exit signal has too many parts");
      const to = pidAt(self, serial);
      return { type: "exit", to, from: pid(from), reason: exitReason(reason), linked: isFlagged };
    }
    case signalKinds.link:
      return { type: "link", to: pidAt(self, serial), from: pid(value) };
    case signalKinds.unlink:
      return { type: "unlink", to: pidAt(self, serial), from: pid(value) };
    case signalKinds.monitor: {
      const to = pidAt(self, serial);
      if (!isFlagged) return { type: "monitor", to, id, origin };
      const { name } = addressed(value);
      return { type: "monitor", to, name, id, origin };
    }
    case signalKinds.demonitor:
      return { type: "demonitor", to: pidAt(self, serial), id, origin };
    case signalKinds.down: {
      const reason = exitReason(value);
      return { type: "down", to: self, id, pid: pidAt(origin, serial), reason };
    }
    default:
      return undefined;
  }
}

function pidAt({ node, incarnation }: NodeAddress, serial: number): Pid {
  return new Pid(node, incarnation, serial);
}

/** What is for a name comes with it. */
function addressed(value: unknown): { readonly name: string; readonly body: unknown } {
  const parts = list(value);
  const [name] = parts;
  if (typeof name !== "string" || parts.length > 2) throw new BadFrameError("a name is expected");
  return { name, body: parts[1] };
}

function request(value: unknown): { readonly method: string; readonly args: readonly unknown[] } {
  const parts = list(value);
  const method = parts[0];
  const args = parts[1];
  if (typeof method !== "string" || !Array.isArray(args) || parts.length > 2)
    throw new BadFrameError("a request is not a method and its arguments");
  return { method, args };
}

function outcomeOf(isFailure: boolean, value: unknown): Outcome {
  return isFailure ? { ok: false, failure: failure(value) } : { ok: true, value };
}

function failure(value: unknown): CallFailure {
  const { code, executed, message, reason } = record(value);
  if (typeof code !== "string" || typeof message !== "string")
    throw new BadFrameError("a failure has no code or no message");
  if (executed !== "no" && executed !== "maybe")
    throw new BadFrameError("a failure does not say whether it ran");
  if (reason !== undefined) exitReason(reason);
  return value as CallFailure;
}

const reasonTypes = new Set<unknown>([
  "normal",
  "shutdown",
  "kill",
  "killed",
  "noproc",
  "noconnection",
  "error",
  "exit",
] satisfies ExitReason["type"][]);

function exitReason(value: unknown): ExitReason {
  const { type, error } = record(value);
  if (!reasonTypes.has(type)) throw new BadFrameError("a reason is none");
  if (type === "error") {
    const { name, message } = record(error);
    if (typeof name !== "string" || typeof message !== "string")
      throw new BadFrameError("a reason's error has no name or no message");
  }
  return value as ExitReason;
}

function pid(value: unknown): Pid {
  if (!(value instanceof Pid)) throw new BadFrameError("a pid is expected");
  return value;
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new BadFrameError("a list is expected");
  return value;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  const isRecord =
    typeof value === "object" &&
    value !== null &&
    Object.getPrototypeOf(value) === Object.prototype;
  if (!isRecord) throw new BadFrameError("a record is expected");
  return value as Readonly<Record<string, unknown>>;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
