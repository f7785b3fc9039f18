import { type LogFields, type Logger, Pid, seededRandom, type Signal } from "@coppice/kernel";
import { encode, MemoryNetwork, PacketWriter, Subjects } from "@coppice/net";
import { faultyTransport, simulatedClock } from "@coppice/testkit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { batchBytesMax, PeerLinks, signalBytesMax, trailAfterMs } from "../src/peer-links.ts";

/** Nodes with channels to one another, on one network whose clock stands still until it is told. */
function nodes(seed = 1) {
  const clock = simulatedClock();
  const random = seededRandom(seed);
  const network = new MemoryNetwork({ clock, payloadBytesMax: 20 << 20 });
  const subjects = new Subjects("test");
  const start = (node: string, incarnation = `${node}1`) => {
    const inner = network.connect();
    const transport = faultyTransport(inner, { clock, random });
    const got: unknown[] = [];
    const gaps: string[] = [];
    const logs: LogFields[] = [];
    const keep = (fields: LogFields): void => void logs.push(fields);
    const logger: Logger = { debug: keep, info: keep, warn: keep, error: keep };
    const self = { node, incarnation };
    const links = new PeerLinks({
      self,
      clock,
      transport,
      subjects,
      logger,
      receiver: {
        accepts: () => true,
        heard: (from) => links.up(from),
        receive: (signal) => {
          if (signal.type === "send") got.push(signal.message);
        },
        gap: (from) => gaps.push(from.node),
      },
    });
    links.start();
    const send = (to: string, message: unknown, life = `${to}1`): boolean =>
      links.deliver({ type: "send", to: new Pid(to, life, 1), message });
    return { self, links, transport, inner, send, got, gaps, logs };
  };
  const pair = async () => {
    const [a, b] = [start("a"), start("b")];
    a.links.up(b.self);
    b.links.up(a.self);
    await clock.advance(1);
    return { a, b };
  };
  return { clock, network, subjects, start, pair };
}

describe("a channel", () => {
  test("L1: delivers in order, what was sent in one turn in one message", async () => {
    const { clock, network, subjects, pair } = nodes();
    const { a, b } = await pair();
    let packets = 0;
    network.connect().subscribe(subjects.node("b", "a"), () => {
      packets += 1;
    });
    const messages = Array.from({ length: 100 }, (_, index) => index);
    for (const message of messages) expect(a.send("b", message)).toBe(true);
    await clock.advance(1);
    expect(b.got).toEqual(messages);
    expect(packets).toBe(1);
  });

  test("sends as soon as there is enough for one message, and a large signal whole", async () => {
    const { clock, pair } = nodes();
    const { a, b } = await pair();
    const text = "x".repeat(batchBytesMax / 3);
    for (let count = 0; count < 10; count += 1) a.send("b", text);
    a.send("b", "y".repeat(3 << 20));
    expect(() => a.send("b", "z".repeat(signalBytesMax))).toThrow(/cannot cross nodes: at most/);
    a.send("b", "end");
    await clock.advance(1);
    expect(b.got.map((each) => String(each).length)).toEqual([
      ...Array.from({ length: 10 }, () => text.length),
      3 << 20,
      3,
    ]);
    expect(b.gaps).toEqual([]);
  });

  test("says no for a node that is not up, and for another life of one that is", async () => {
    const { pair } = nodes();
    const { a } = await pair();
    expect(a.send("c", 1)).toBe(false);
    expect(a.send("b", 1, "b2")).toBe(false);
    a.links.down({ node: "b", incarnation: "b1" });
    expect(a.send("b", 1)).toBe(false);
  });

  test("L2: a lost message is noticed with the next, on both sides", async () => {
    const { clock, pair } = nodes();
    const { a, b } = await pair();
    a.send("b", 1);
    await clock.advance(1);
    a.transport.setOut({ loss: 1 });
    a.send("b", 2);
    await clock.advance(1);
    a.transport.setOut({ loss: 0 });
    expect([a.gaps, b.gaps]).toEqual([[], []]);
    a.send("b", 3);
    await clock.advance(1);
    expect(b.got).toEqual([1, 3]);
    expect([a.gaps, b.gaps]).toEqual([["b"], ["a"]]);
    a.send("b", 4);
    b.send("a", 5);
    await clock.advance(10_000);
    expect([a.got, b.got]).toEqual([[5], [1, 3, 4]]);
    expect([a.gaps, b.gaps]).toEqual([["b"], ["a"]]);
  });

  test("L4: a lost message that nothing follows is noticed a while later", async () => {
    const { clock, pair } = nodes();
    const { a, b } = await pair();
    a.transport.setOut({ loss: 1 });
    a.send("b", 1);
    await clock.advance(1);
    a.transport.setOut({ loss: 0 });
    await clock.advance(trailAfterMs * 2);
    expect([a.gaps, b.gaps]).toEqual([["b"], ["a"]]);
  });

  test("L4: after a reconnection nothing ends when nothing was lost, in whatever direction", async () => {
    const { clock, pair } = nodes();
    const { a, b } = await pair();
    a.send("b", 1);
    b.send("a", 2);
    await clock.advance(1);
    a.inner.disconnect();
    await clock.advance(50);
    a.inner.reconnect();
    await clock.advance(1);
    expect([a.gaps, b.gaps]).toEqual([[], []]);

    a.inner.disconnect();
    b.send("a", 3); // Lost: nobody will say anything more.
    await clock.advance(1);
    a.inner.reconnect();
    await clock.advance(1);
    expect([a.gaps, b.gaps]).toEqual([["b"], ["a"]]);
  });

  test("L3: a node that was declared down learns it with the first packet", async () => {
    const { clock, pair } = nodes();
    const { a, b } = await pair();
    a.send("b", 1);
    b.send("a", 2);
    await clock.advance(1);
    a.links.down(b.self);
    await clock.advance(trailAfterMs / 2);
    expect(b.gaps).toEqual([]);
    a.links.up(b.self);
    await clock.advance(1);
    expect(b.gaps).toEqual(["a"]);
    expect(b.logs.map(({ event }) => event)).toEqual(["channel_reopened"]);
    expect(a.gaps).toEqual([]);
  });

  test("L1, L2: under any loss what arrives is in order, and every loss is noticed", async () => {
    const run = async (seed: number, losses: readonly boolean[]): Promise<void> => {
      const { clock, pair } = nodes(seed);
      const { a, b } = await pair();
      for (const [index, lost] of losses.entries()) {
        a.transport.setOut({ loss: lost ? 1 : 0 });
        a.send("b", index);
        await clock.advance(1);
      }
      a.transport.setOut({ loss: 0 });
      await clock.advance(trailAfterMs * 3);
      const expected = losses.map((lost, index) => (lost ? -1 : index)).filter((each) => each >= 0);
      expect(b.got).toEqual(expected);
      expect(b.gaps.length > 0).toBe(losses.includes(true));
    };
    await fc.assert(fc.asyncProperty(fc.nat(), fc.array(fc.boolean(), { maxLength: 12 }), run), {
      numRuns: 50,
    });
  });
});

describe("what is not from a node of this protocol", () => {
  test("is dropped: garbage, another version, another life, a sender that the subject does not name", async () => {
    const { clock, network, subjects, pair } = nodes();
    const { b } = await pair();
    const stranger = network.connect();
    const packet = (to: string): Uint8Array => {
      const writer = new PacketWriter({ epoch: 1, to, from: "x1" });
      writer.add({ type: "send", to: new Pid("b", to, 1), message: "evil" });
      return writer.take(1);
    };
    const other = packet("b1");
    other[0] = 2;
    for (const data of [new Uint8Array(), encode("hello"), packet("b0"), other])
      stranger.publish(subjects.node("b", "x"), data);
    stranger.publish(`coppice.v1.test.node.b.=zz`, packet("b1"));
    await clock.advance(1);
    expect(b.got).toEqual([]);
    expect(b.gaps).toEqual([]);
  });

  test("L5: a packet can only end and ask what its sender's subject names", async () => {
    const { clock, network, subjects, start } = nodes();
    const signals: Signal[] = [];
    const b = start("b");
    b.links.stop();
    const links = new PeerLinks({
      ...b,
      clock,
      subjects,
      logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
      receiver: {
        accepts: () => true,
        heard: () => {},
        receive: (signal) => signals.push(signal),
        gap: () => {},
      },
    });
    links.start();
    const writer = new PacketWriter({ epoch: 1, to: "b1", from: "x1" });
    writer.add({
      type: "call",
      to: new Pid("b", "b1", 1),
      id: 1,
      origin: { node: "a", incarnation: "a1" },
      method: "get",
      args: [],
    });
    writer.add({
      type: "down",
      to: b.self,
      id: 1,
      pid: new Pid("a", "a1", 1),
      reason: { type: "normal" },
    });
    network.connect().publish(subjects.node("b", "x"), writer.take(1));
    await clock.advance(1);
    expect(signals).toMatchObject([
      { type: "call", origin: { node: "x", incarnation: "x1" } },
      { type: "down", pid: { node: "x", incarnation: "x1" } },
    ]);
  });
});
