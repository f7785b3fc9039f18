import {
  type Clock,
  type LogFields,
  type Logger,
  type NodeAddress,
  seededRandom,
} from "@coppice/kernel";
import { encodeChecked, MemoryNetwork, Subjects } from "@coppice/net";
import { faultyTransport, simulatedClock } from "@coppice/testkit";
import { describe, expect, test } from "vitest";
import { decodeBeat, encodeBeat } from "../src/membership-protocol.ts";
import {
  downAfterMs,
  type MemberTable,
  onBeat,
  onDeaf,
  onGone,
  onTick,
  suspectAfterMs,
} from "../src/membership-state.ts";
import { Membership } from "../src/membership.ts";

const beat = (node: string, incarnation = "1") => ({ node, incarnation, osPid: 1, sentMs: 0 });

describe("the decision", () => {
  test("a first beat is up, a silent node is probed, then down", () => {
    const members: MemberTable = new Map();
    expect(onBeat(members, beat("b"), 0)).toMatchObject([{ type: "up", member: { node: "b" } }]);
    expect(onTick(members, suspectAfterMs - 1)).toEqual([]);
    expect(onTick(members, suspectAfterMs)).toMatchObject([
      { type: "probe", member: { status: "suspect" } },
    ]);
    expect(onTick(members, downAfterMs)).toMatchObject([{ type: "down", gone: false }]);
    expect(members.size).toBe(0);
  });

  test("a suspect that beats again is up without a word", () => {
    const members: MemberTable = new Map();
    onBeat(members, beat("b"), 0);
    onTick(members, suspectAfterMs);
    expect(onBeat(members, beat("b"), suspectAfterMs + 1)).toEqual([]);
    expect(members.get("b")?.status).toBe("up");
  });

  test("a new life of a node ends the old one first", () => {
    const members: MemberTable = new Map();
    onBeat(members, beat("b", "1"), 0);
    const effects = onBeat(members, beat("b", "2"), 1);
    expect(effects.map(({ type, member }) => [type, member.incarnation])).toEqual([
      ["down", "1"],
      ["up", "2"],
    ]);
  });

  test("a node that did not listen itself counts all silence anew", () => {
    const members: MemberTable = new Map();
    onBeat(members, beat("b"), 0);
    onDeaf(members, downAfterMs);
    expect(onTick(members, downAfterMs + 1)).toEqual([]);
  });

  test.for([
    [true, 900],
    [false, 0],
  ] as const)(
    "the silence of a node that is gone counts from its last heartbeat with one server (%s), from now with several",
    ([hasOneServer, silenceMs]) => {
      const members: MemberTable = new Map();
      onBeat(members, beat("b"), 100);
      const address = { node: "b", incarnation: "1" };
      expect(onGone(members, address, { nowMs: 1_000, hasOneServer })).toMatchObject([
        { type: "down", gone: true, member: { seenMs: 1_000 - silenceMs } },
      ]);
    },
  );

  test("news of another life's end, and its farewell, change nothing", () => {
    const members: MemberTable = new Map();
    onBeat(members, beat("b", "2"), 0);
    expect(
      onGone(members, { node: "b", incarnation: "1" }, { nowMs: 1, hasOneServer: true }),
    ).toEqual([]);
    expect(onBeat(members, { ...beat("b", "1"), leaving: true }, 1)).toEqual([]);
    expect(members.get("b")?.incarnation).toBe("2");
  });
});

describe("a heartbeat", () => {
  test("comes back as it was sent", () => {
    const sent = { ...beat("nöde"), leaving: true };
    expect(decodeBeat(encodeBeat(sent))).toEqual(sent);
  });

  test("of another major version is refused in words; of a later minor version it may say more", () => {
    expect(() => decodeBeat(encodeChecked([2, 0, "b"]))).toThrow(
      /version 2 arrived, this node speaks 1/,
    );
    expect(decodeBeat(encodeChecked([1, 9, "b", "i", 1, 2, false, { more: true }]))).toMatchObject({
      node: "b",
    });
  });

  test("of which one bit was flipped is refused", () => {
    const sent = encodeBeat(beat("b"));
    for (let bit = 0; bit < sent.length * 8; bit += 1) {
      const damaged = sent.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => decodeBeat(damaged)).toThrow(/damaged/);
    }
  });

  test("that is none is refused", () => {
    for (const value of [null, {}, [], [1], [1, 0, "b", "i", "x", 0, false], "beat"])
      expect(() => decodeBeat(encodeChecked(value))).toThrow(/malformed/);
  });
});

/** A clock of one node, whose timers stand still while it is frozen. */
function freezable(clock: Clock) {
  let frozen = false;
  const held: (() => void)[] = [];
  return {
    ...clock,
    after: (ms: number, run: () => void) =>
      clock.after(ms, () => {
        if (frozen) held.push(run);
        else run();
      }),
    freeze: () => {
      frozen = true;
    },
    thaw: () => {
      frozen = false;
      for (const run of held.splice(0)) run();
    },
  };
}

/** Nodes on one network whose clock stands still until it is told. */
function cluster() {
  const clock = simulatedClock();
  const network = new MemoryNetwork({ clock });
  const subjects = new Subjects("test");
  const start = (node: string, incarnation = "1", own: Clock = clock) => {
    const transport = faultyTransport(network.connect(), { clock, random: seededRandom(1) });
    const events: string[] = [];
    const logs: LogFields[] = [];
    const keep = (fields: LogFields): void => void logs.push(fields);
    const logger: Logger = { debug: keep, info: keep, warn: keep, error: keep };
    const event = (type: string) => (member: NodeAddress, gone?: boolean) =>
      events.push(`${type} ${member.node}.${member.incarnation}${gone === true ? " gone" : ""}`);
    const membership = new Membership({
      self: { node, incarnation, osPid: 1 },
      clock: own,
      logger,
      transport,
      subjects,
      observer: { up: event("up"), down: event("down"), echo: () => {} },
    });
    membership.start();
    return { membership, transport, events, logs };
  };
  return { clock, network, subjects, start };
}

describe("the shell", () => {
  test("M1: each observer hears of the end of a node once: at once when its connection is gone", async () => {
    const { clock, start } = cluster();
    const [a, b, c] = [start("a"), start("b"), start("c")];
    await clock.advance(1_000);
    expect(a.events.toSorted()).toEqual(["up b.1", "up c.1"]);
    void b.transport.close();
    b.membership.stop();
    await clock.advance(suspectAfterMs + 200);
    await clock.advance(10_000);
    for (const { events } of [a, c])
      expect(events.filter((each) => each.includes("b"))).toEqual(["up b.1", "down b.1 gone"]);
  });

  test("M1: a node that is silent and cannot be shown to be gone is unreachable, once", async () => {
    const { clock, start } = cluster();
    const [a, b] = [start("a"), start("b")];
    await clock.advance(1_000);
    b.transport.setOut({ cut: true });
    b.transport.setIn({ cut: true });
    await clock.advance(downAfterMs - 300);
    expect(a.events).toEqual(["up b.1"]);
    await clock.advance(10_000);
    expect(a.events).toEqual(["up b.1", "down b.1"]);
    expect(b.events).toEqual(["up a.1", "down a.1"]);
    b.transport.setOut({ cut: false });
    b.transport.setIn({ cut: false });
    await clock.advance(200);
    expect(a.events.at(-1)).toBe("up b.1");
    expect(b.events.at(-1)).toBe("up a.1");
  });

  test("a node that was frozen does not take the silence of its own sleep for that of others", async () => {
    const { clock, start } = cluster();
    const { freeze, thaw, ...own } = freezable(clock);
    const a = start("a", "1", own);
    start("b");
    await clock.advance(1_000);
    freeze();
    a.transport.setIn({ delayMs: [5_001, 5_001] });
    await clock.advance(5_000);
    thaw(); // Its timers run before anything that waits for it is read.
    a.transport.setIn({ delayMs: [0, 0] });
    await clock.advance(1_000);
    expect(a.events).toEqual(["up b.1"]);
  });

  test("a node that leaves says so, and one that starts again under its name is a new one", async () => {
    const { clock, start } = cluster();
    const a = start("a");
    const b = start("b");
    await clock.advance(200);
    b.membership.stop();
    await clock.advance(10);
    start("b", "2");
    await clock.advance(200);
    expect(a.events).toEqual(["up b.1", "down b.1 gone", "up b.2"]);
  });

  test("foreign bytes and other versions on the subject of heartbeats change nothing, and are said once", async () => {
    const { clock, network, subjects, start } = cluster();
    const a = start("a");
    const stranger = network.connect();
    for (let count = 0; count < 50; count += 1) {
      stranger.publish(subjects.beat("x"), new TextEncoder().encode("garbage"));
      stranger.publish(subjects.beat("x"), encodeChecked([2, 0, "x", "i", 1, 1, false]));
    }
    start("b");
    await clock.advance(500);
    expect(a.events).toEqual(["up b.1"]);
    expect(a.logs.filter(({ event }) => event === "version_unsupported")).toHaveLength(1);
  });

  test.for([3, 30, 300])("%i nodes send as many messages a beat", async (count) => {
    const { clock, network, subjects, start } = cluster();
    const nodes = Array.from({ length: count }, (_, index) => start(`n${index}`));
    let beats = 0;
    network.connect().subscribe(subjects.beatAll, () => {
      beats += 1;
    });
    await clock.advance(100); // The first of the first node was sent before the others listened.
    for (const { events } of nodes) expect(events).toHaveLength(count - 1);
    beats = 0;
    await clock.advance(100);
    expect(beats).toBe(count);
  });
});
