import { Broadcast, MissedMessages, SignalTooLargeError } from "@coppice/cluster";
import { encodeChecked } from "@coppice/net";
import { describe, expect, test } from "vitest";
import { memoryCluster } from "./cluster.ts";
import { listen, simulatedCluster } from "./simulated.ts";

async function two() {
  const cluster = simulatedCluster();
  const a = await cluster.start("a");
  const b = await cluster.start("b");
  await cluster.advance(500);
  return { ...cluster, a, b };
}

/** Node b has number 1 of what node a broadcasts. */
async function listening(pattern = "room", topic = pattern) {
  const { a, b, advance } = await two();
  const there = listen(b);
  b.pubsub.subscribe(pattern, there.pid);
  a.pubsub.broadcast(topic, 1);
  await advance(10);
  const missed = (count: number): MissedMessages =>
    new MissedMessages({ source: topic, reason: "lost", count, node: "a" });
  return { a, b, there, missed, advance };
}

describe("pubsub", () => {
  test("D-091: a broadcast reaches each subscriber of every node as it was sent", async () => {
    const { a, b, advance } = await two();
    const [here, there] = [listen(a), listen(b)];
    a.pubsub.subscribe("room", here.pid);
    b.pubsub.subscribe("room", there.pid);
    const message = { text: "hi", at: new Date(5), to: here.pid };
    a.pubsub.broadcast("room", message);
    a.pubsub.broadcast("another", "no");
    await advance(10);
    expect(here.messages).toEqual([message]);
    expect(there.messages).toEqual([message]);
  });

  test("D-091: subscribing twice delivers twice, unsubscribing ends both, and is no error without one", async () => {
    const { a, advance } = await two();
    const { pid, messages } = listen(a);
    a.pubsub.unsubscribe("room", pid);
    a.pubsub.subscribe("room", pid);
    a.pubsub.subscribe("room", pid);
    a.pubsub.broadcast("room", 1);
    await advance(1);
    expect(messages).toEqual([1, 1]);
    a.pubsub.unsubscribe("room", pid);
    a.pubsub.broadcast("room", 2);
    await advance(1);
    expect(messages).toEqual([1, 1]);
    expect(a.pubsub.size).toBe(0);
  });

  test("D-093: broadcastFrom leaves out the process itself, here and on its own node", async () => {
    const { a, b, advance } = await two();
    const [self, sibling, far] = [listen(a), listen(a), listen(b)];
    for (const each of [self, sibling]) a.pubsub.subscribe("room", each.pid);
    b.pubsub.subscribe("room", far.pid);
    a.pubsub.broadcastFrom(self.pid, "room", "from a");
    b.pubsub.broadcastFrom(self.pid, "room", "from b, on behalf of it");
    await advance(10);
    expect(self.messages).toEqual([]);
    expect(sibling.messages).toEqual(["from a", "from b, on behalf of it"]);
    expect(far.messages).toEqual(["from b, on behalf of it", "from a"]);
  });

  test("D-095: a direct broadcast goes to one node; to one that is not up, nowhere", async () => {
    const { a, b, advance } = await two();
    const [here, there] = [listen(a), listen(b)];
    a.pubsub.subscribe("room", here.pid);
    b.pubsub.subscribe("room", there.pid);
    a.pubsub.directBroadcast("b", "room", 1);
    a.pubsub.directBroadcast("a", "room", 2);
    a.pubsub.directBroadcast("nowhere", "room", 3);
    await advance(10);
    expect([here.messages, there.messages]).toEqual([[2], [1]]);
  });

  test("D-097, D-103: a local broadcast stays on its node, and can leave out its sender", async () => {
    const { a, b, advance } = await two();
    const [here, sender, there] = [listen(a), listen(a), listen(b)];
    for (const { pid } of [here, sender]) a.pubsub.subscribe("room", pid);
    b.pubsub.subscribe("room", there.pid);
    a.pubsub.broadcastLocal("room", 1);
    a.pubsub.broadcastLocalFrom(sender.pid, "room", 2);
    await advance(10);
    expect([here.messages, sender.messages, there.messages]).toEqual([[1, 2], [1], []]);
  });

  test("a pattern takes what matches it, with the topic if asked; other tokens are literal", async () => {
    const { a, b, advance } = await two();
    const [star, rest, literal] = [listen(b), listen(b), listen(b)];
    b.pubsub.subscribe("chat.*", star.pid, { details: true });
    b.pubsub.subscribe("chat.>", rest.pid);
    b.pubsub.subscribe("chat.a*b =", literal.pid);
    a.pubsub.broadcast("chat.one", 1);
    a.pubsub.broadcast("chat.one.two", 2);
    a.pubsub.broadcast("chat.a*b =", 3);
    b.pubsub.broadcast("chat.here", 4);
    await advance(10);
    expect(star.messages).toEqual([
      new Broadcast("chat.here", "b", 4),
      new Broadcast("chat.one", "a", 1),
      new Broadcast("chat.a*b =", "a", 3),
    ]);
    expect(rest.messages).toEqual([4, 1, 2, 3]);
    expect(literal.messages).toEqual([3]);
  });

  test("bad topics and messages are refused at the sender", async () => {
    const { a } = await two();
    const { pid } = listen(a);
    expect(() => a.pubsub.broadcast("chat.*", 1)).toThrow(RangeError);
    expect(() => a.pubsub.subscribe("chat.>.x", pid)).toThrow(RangeError);
    expect(() => a.pubsub.broadcast("x".repeat(10_000), 1)).toThrow(RangeError);
    expect(() => a.pubsub.subscribe(Array(300).fill("long").join("."), pid)).toThrow(RangeError);
    expect(() => a.pubsub.broadcast("\udc00", 1)).toThrow(/not well-formed/);
    expect(() => a.pubsub.broadcast("room", () => 1)).toThrow(/is a function/);
    expect(() => a.pubsub.broadcast("room", "x".repeat(8_100_000))).toThrow(SignalTooLargeError);
    expect(a.pubsub.size).toBe(0);
  });

  test("a broadcast that is larger than a network message arrives, in its place", async () => {
    const { a, b, advance } = await two();
    const { pid, messages } = listen(b);
    b.pubsub.subscribe("room", pid);
    const large = "x".repeat(3_000_000);
    for (const message of [1, large, 2]) a.pubsub.broadcast("room", message);
    await advance(10);
    expect(messages).toEqual([1, large, 2]);
  });

  test("P1: a broadcast that cannot be read is reported as lost", async () => {
    const { start, transport } = memoryCluster();
    const node = await start("a");
    const { pid, messages } = listen(node);
    node.pubsub.subscribe("room", pid);
    const unreadable = new Uint8Array([0xc1]);
    for (const [index, body] of ["one", unreadable, "three"].entries())
      transport.publish(
        "coppice.v1.test.topic.room",
        encodeChecked(["b", "1", 1, index + 1, [body]]),
      );
    const missed = new MissedMessages({ source: "room", reason: "lost", count: 1, node: "b" });
    await expect.poll(() => messages).toEqual(["one", missed, "three"]);
  });

  test("P1: what was lost on the way is reported where the gap is", async () => {
    const { a, b, there, missed, advance } = await listening();
    b.cutOff();
    for (const lost of [2, 3, 4]) a.pubsub.broadcast("room", lost);
    await advance(10);
    b.reconnect();
    a.pubsub.broadcast("room", 5);
    await advance(10);
    expect(there.messages).toEqual([1, missed(3), 5]);
  });

  test("P1: the loss of the last broadcasts is reported too, once, by the pulse", async () => {
    const { a, b, there, missed, advance } = await listening("ro.>", "ro.om");
    b.cutOff();
    a.pubsub.broadcast("ro.om", 2);
    await advance(10);
    b.reconnect();
    await advance(600);
    expect(there.messages).toEqual([1, missed(1)]);
    await advance(3_000);
    expect(there.messages).toHaveLength(2);
  });

  test("P1: what a publisher broadcast while it was cut off itself is reported when it is back", async () => {
    const { a, there, missed, advance } = await listening();
    a.cutOff();
    for (const lost of [2, 3]) a.pubsub.broadcast("room", lost);
    await advance(4_000);
    a.reconnect();
    await advance(1_000);
    expect(there.messages).toEqual([1, missed(2)]);
  });

  test.for([
    ["cutOff", "reconnect", 1_000],
    ["cutOff", "reconnect", 10_000],
    ["cutOff", "reconnect", 60_000],
    ["fallSilent", "speakAgain", 10_000],
  ] as const)(
    "P1: a subscriber's node that was away (%s, %s, %i ms) is told within a second of what it missed",
    async ([leave, comeBack, awayMs]) => {
      const { a, b, there, missed, advance } = await listening();
      b[leave]();
      a.pubsub.broadcast("room", 2);
      await advance(awayMs);
      b[comeBack]();
      await advance(1_000);
      expect(there.messages).toEqual([1, missed(1)]);
    },
  );

  test("P1: a slow subscriber is told how much it missed, where it missed it; others get everything", async () => {
    const { a, advance } = await two();
    const fast = listen(a);
    const gate = Promise.withResolvers<void>();
    const got: unknown[] = [];
    const slow = a.kernel.spawn({
      handle: async (message) => {
        if (message.type !== "info") return;
        got.push(message.message);
        await gate.promise;
      },
    });
    a.pubsub.subscribe("room", slow, { waitingMax: 10 });
    a.pubsub.subscribe("room", fast.pid);
    for (let count = 1; count <= 100; count += 1) {
      a.pubsub.broadcast("room", count);
      await advance(1);
    }
    gate.resolve();
    await advance(100);
    a.pubsub.broadcast("room", "after");
    await advance(1);
    expect(fast.messages).toHaveLength(101);
    const kept = got.filter((each) => typeof each === "number");
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, index) => index + 1));
    const missed = new MissedMessages({ source: "room", reason: "slow", count: 100 - kept.length });
    expect(got).toEqual([...kept, missed, "after"]);
    expect(kept.length).toBeLessThan(15);
  });

  test("broadcasts of one turn arrive in order, more than fit one network message", async () => {
    const { a, b, advance } = await two();
    const there = listen(b);
    b.pubsub.subscribe("room", there.pid);
    const sent = Array.from({ length: 2_000 }, (_, index) => `${index} ${"x".repeat(100)}`);
    for (const message of sent) a.pubsub.broadcast("room", message);
    await advance(10);
    expect(there.messages).toEqual(sent);
  });
});
