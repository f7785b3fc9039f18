import { Pid, type Signal } from "@coppice/kernel";
import { openPacket, PacketWriter, readSignals, UnsupportedVersionError } from "@coppice/net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fuzz } from "./fuzz.ts";

const a = { node: "a", incarnation: "ia" };
const b = { node: "b", incarnation: "ib" };
const pidOfB = new Pid("b", "ib", 7);
const pidOfA = new Pid("a", "ia", 3);

const each: readonly Signal[] = [
  { type: "send", to: pidOfB, message: { text: "hi", at: new Date(5), to: pidOfA } },
  { type: "cast", to: pidOfB, method: "add", args: [1n, new Map([["k", new Set([1])]])] },
  { type: "call", to: pidOfB, id: 2 ** 40, origin: a, method: "get", args: [undefined, null] },
  { type: "reply", to: b, id: 1, outcome: { ok: true, value: undefined } },
  {
    type: "reply",
    to: b,
    id: 2,
    outcome: { ok: false, failure: { code: "noproc", executed: "no", message: "gone" } },
  },
  { type: "answer", to: pidOfB, tag: 3, outcome: { ok: true, value: [1] } },
  { type: "exit", to: pidOfB, from: pidOfA, reason: { type: "killed" }, linked: true },
  {
    type: "exit",
    to: pidOfB,
    from: pidOfB,
    reason: { type: "exit", value: [1, { deep: Buffer.from([1, 2]) }] },
    linked: false,
  },
  { type: "link", to: pidOfB, from: pidOfA },
  { type: "unlink", to: pidOfB, from: pidOfA },
  { type: "monitor", to: pidOfB, id: 4, origin: a },
  { type: "demonitor", to: pidOfB, id: 4, origin: a },
  {
    type: "down",
    to: b,
    id: 5,
    pid: pidOfA,
    reason: { type: "error", error: { name: "Error", message: "x" } },
  },
];

function writer(): PacketWriter {
  return new PacketWriter({ epoch: 3, to: b.incarnation, from: a.incarnation });
}

function packetOf(...signals: readonly Signal[]): Uint8Array {
  const packet = writer();
  for (const signal of signals) packet.add(signal);
  return packet.take(9);
}

function read(data: Uint8Array): Signal[] {
  const signals: Signal[] = [];
  readSignals(openPacket(data), { from: "a", to: b }, (signal) => signals.push(signal));
  return signals;
}

describe("a packet", () => {
  test("carries every kind of signal, in order, with its header", () => {
    const data = packetOf(...each);
    expect(read(data)).toEqual(each);
    expect(openPacket(data).header).toEqual({
      version: { major: 1, minor: 0 },
      kind: 1,
      epoch: 3,
      number: 9,
      to: "ib",
      from: "ia",
    });
  });

  test("carries what was given when it was given, whatever becomes of it later", () => {
    const args = [1];
    const packet = writer();
    packet.add({ type: "cast", to: pidOfB, method: "add", args });
    args.push(2);
    expect(read(packet.take(1))).toMatchObject([{ args: [1] }]);
    packet.add({ type: "cast", to: pidOfB, method: "add", args });
    expect(read(packet.take(2))).toMatchObject([{ args: [1, 2] }]);
  });

  test("is not changed by a signal that cannot cross", () => {
    const packet = writer();
    packet.add(each[0]!);
    const value: unknown = { type: "exit", value: () => 1 };
    expect(() => packet.add({ ...each[7]!, reason: value } as Signal)).toThrow(/is a function/);
    expect(() => packet.add({ type: "send", to: pidOfB, message: "x".repeat(9 << 20) })).toThrow(
      /others accept at most/,
    );
    expect(() =>
      packet.add({ type: "send", to: pidOfB, message: Array.from({ length: 300_000 }, () => 0) }),
    ).toThrow(/too many elements/);
    packet.add(each[1]!);
    expect(read(packet.take(1))).toEqual(each.slice(0, 2));
  });

  test("grows with its signals and keeps no large memory", () => {
    const message = "ü".repeat(300_000);
    const packet = writer();
    for (const number of [1, 2]) {
      packet.add({ type: "send", to: pidOfB, message });
      packet.add(each[0]!);
      expect(read(packet.take(number))).toMatchObject([{ message }, each[0]]);
    }
  });
});

describe("what is not a packet", () => {
  test("of a newer major version is refused in words", () => {
    const data = packetOf(...each);
    data[0] = 2;
    expect(() => openPacket(data)).toThrow(UnsupportedVersionError);
    expect(() => openPacket(data)).toThrow(
      /version 2 arrived, this node speaks 1: run the same major version of Coppice/,
    );
  });

  test("of the same version, of a kind nobody knows, is refused", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (data) => {
        expect(() => openPacket(data)).toThrow();
      }),
    );
  });

  test("is never accepted, however it was changed, and never breaks anything else", () => {
    const seed = Number(process.env["SEED"] ?? Math.trunc(Math.random() * 2 ** 32));
    process.stderr.write(`codec fuzz: SEED=${seed}\n`);
    const result = fuzz({ seed, frames: 100_000 });
    expect(result.wronglyAccepted).toBe(0);
    expect(result.refused).toBeGreaterThan(result.frames / 3);
  });
});
