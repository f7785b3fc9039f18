/**
 * Mutated packets against the decoder, from a seed.
 *
 * Half of them keep the checksum of the original, as damage on the way would: only one of the originals may be accepted.
 * The other half get a checksum that fits, as an attacker's would: what is accepted must be signals that can be encoded
 * again, and what is refused must be refused with one of the two errors that the protocol names.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { Pid, type Random, seededRandom, type Signal } from "@coppice/kernel";
import { sealPacket, UnsupportedVersionError } from "../src/envelope.ts";
import { BadFrameError } from "../src/frame-limits.ts";
import { openPacket, PacketWriter, readSignals } from "../src/packet.ts";

/** What came of it. */
export interface FuzzResult {
  readonly frames: number;
  readonly refused: number;
  readonly accepted: number;
  readonly wronglyAccepted: number;
}

const mutationsMax = 6;
const packetNumber = 5;
const sender = { node: "a", incarnation: "aaaaaaaaaaaaaa" };
const receiver = { node: "b", incarnation: "bbbbbbbbbbbbbb" };

/** @throws whatever the decoder threw that the protocol does not name. */
export function fuzz({
  seed,
  frames,
}: {
  readonly seed: number;
  readonly frames: number;
}): FuzzResult {
  const random = seededRandom(seed);
  const originals = samples().map(packetOf);
  const result = { frames, refused: 0, accepted: 0, wronglyAccepted: 0 };
  for (let count = 0; count < frames; count += 1) {
    const original = originals[random.u32() % originals.length]!;
    const mutated = mutate(original, originals, random);
    const sealed = random.u32() % 2 === 0 && mutated.length >= original.length;
    if (sealed) sealPacket(mutated, packetNumber);
    const signals = tryRead(mutated);
    if (signals === undefined) result.refused += 1;
    else {
      result.accepted += 1;
      const right = sealed ? canEncode(signals) : originals.some((each) => mutated.equals(each));
      if (!right) result.wronglyAccepted += 1;
    }
  }
  return result;
}

function tryRead(data: Buffer): Signal[] | undefined {
  const signals: Signal[] = [];
  try {
    const nodes = { from: sender.node, to: receiver };
    readSignals(openPacket(data), nodes, (signal) => signals.push(signal));
    return signals;
  } catch (thrown) {
    const isNamed = thrown instanceof BadFrameError || thrown instanceof UnsupportedVersionError;
    if (!isNamed) throw thrown;
    return undefined;
  }
}

function canEncode(signals: readonly Signal[]): boolean {
  const copy = packetOf(signals);
  return tryRead(copy)?.length === signals.length;
}

function packetOf(signals: readonly Signal[]): Buffer {
  const { incarnation: to } = receiver;
  const writer = new PacketWriter({ epoch: 1, to, from: sender.incarnation });
  for (const signal of signals) writer.add(signal);
  return Buffer.from(writer.take(packetNumber));
}

/** A copy with a few bytes changed, cut off, doubled, or taken from another packet. */
function mutate(original: Buffer, others: readonly Buffer[], random: Random): Buffer {
  let copy = Buffer.from(original);
  const mutations = 1 + (random.u32() % mutationsMax);
  for (let count = 0; count < mutations; count += 1) {
    const at = random.u32() % copy.length;
    switch (random.u32() % 8) {
      case 0:
        copy = Buffer.from(copy.subarray(0, Math.max(1, at)));
        break;
      case 1:
        copy = Buffer.concat([copy.subarray(0, at), copy.subarray(at >> 1)]);
        break;
      case 2: {
        const other = others[random.u32() % others.length]!;
        copy = Buffer.concat([copy.subarray(0, at), other.subarray(at % other.length)]);
        break;
      }
      case 3:
        copy[at] = [0xdd, 0xdf, 0xc6, 0xd4, 0xc7, 0xff, 0x00, 0x93][random.u32() % 8]!;
        break;
      default:
        copy[at]! ^= 1 + (random.u32() % 255);
    }
  }
  return copy;
}

/** One packet of every kind of signal, and one of all. */
function samples(): Signal[][] {
  const to = new Pid(receiver.node, receiver.incarnation, 7);
  const from = new Pid(sender.node, sender.incarnation, 3);
  const values = [1, "text", null, true, 2n ** 70n, new Date(9), new Uint8Array(9), [1, [2]], from];
  const message = { values, map: new Map([["k", { x: 1.5 }]]), set: new Set([1, "a"]) };
  const failure = { code: "exited", executed: "maybe", message: "ended" } as const;
  const signals: Signal[] = [
    { type: "send", to, message },
    { type: "cast", to, method: "add", args: [1, "x".repeat(300)] },
    { type: "call", to, id: 70_000, origin: sender, method: "get", args: values },
    { type: "reply", to: receiver, id: 9, outcome: { ok: true, value: message } },
    { type: "reply", to: receiver, id: 9, outcome: { ok: false, failure } },
    { type: "answer", to, tag: 4, outcome: { ok: true, value: 1 } },
    { type: "exit", to, from, reason: { type: "exit", value: values }, linked: false },
    { type: "link", to, from },
    { type: "unlink", to, from },
    { type: "monitor", to, id: 1, origin: sender },
    { type: "demonitor", to, id: 1, origin: sender },
    { type: "down", to: receiver, id: 1, pid: from, reason: { type: "noproc" } },
  ];
  return [...signals.map((signal) => [signal]), signals];
}
