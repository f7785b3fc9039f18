import { checkHistory, type HistoryEvent } from "@coppice/chaos";
import { describe, expect, test } from "vitest";

/** What the checks say of a history, as `<promise>: <message>`. */
function said(...events: readonly HistoryEvent[]): string[] {
  return checkHistory(events, { clockJumps: true }).map(
    ({ promise, message }) => `${promise}: ${message}`,
  );
}

const call = (atMs: number, number: number, caller = "p"): HistoryEvent => ({
  type: "call",
  atMs,
  id: `${caller}-${number}`,
  caller,
  name: "stack",
  number,
});
const ran = (atMs: number, number: number, pid = "a.1.1", epoch = 1): HistoryEvent => ({
  type: "execution",
  atMs,
  id: `p-${number}`,
  name: "stack",
  node: pid[0]!,
  pid,
  epoch,
});
const answered = (atMs: number, number: number, epoch = 1): HistoryEvent => ({
  type: "outcome",
  atMs,
  id: `p-${number}`,
  outcome: "answer",
  epoch,
});
const failed = (atMs: number, number: number, outcome: "no" | "maybe"): HistoryEvent => ({
  type: "outcome",
  atMs,
  id: `p-${number}`,
  outcome,
  code: "noproc",
});
const fault = (kind: string, atMs: number, untilMs = atMs): HistoryEvent => ({
  type: "fault",
  atMs,
  untilMs,
  kind,
  targets: ["a"],
});
const owned = (atMs: number, revision: number, owner: string): HistoryEvent => ({
  type: "ownership",
  atMs,
  name: "stack",
  revision,
  owner,
  epoch: revision,
});
const life = (
  type: "start" | "end",
  atMs: number,
  pid: string,
  of: { readonly supervisor?: string; readonly child?: string } = {},
): HistoryEvent => ({ type, atMs, node: "a", pid, ...of });
const later = (atMs: number): HistoryEvent => fault("nothing", atMs);

test("a history that keeps every promise is accepted", () => {
  const history = [
    owned(0, 1, "a.1"),
    call(1, 1),
    ran(2, 1),
    answered(3, 1),
    call(4, 2),
    failed(5, 2, "no"),
    call(6, 3),
    failed(7, 3, "maybe"),
    owned(8, 2, "b.1"),
    call(9, 4),
    ran(10, 4, "b.1.1", 2),
    answered(11, 4, 2),
    later(20_000),
  ];
  expect(said(...history)).toEqual([]);
});

describe("N1 to N3, names", () => {
  test("two owners in one epoch", () => {
    expect(said(call(1, 1), ran(2, 1), call(3, 2), ran(4, 2, "b.1.1"))).toContain(
      "N1: stack had two owners in epoch 1: a.1.1 and b.1.1",
    );
  });

  test("an epoch that goes back", () => {
    expect(said(owned(1, 5, "a.1"), owned(2, 4, "b.1"))).toEqual([
      "N1: the epoch of stack went back to 4",
    ]);
  });

  test("an answer of an owner that was replaced", () => {
    const history = [call(1, 1), ran(1, 1), call(1, 2), ran(2, 2, "b.1.1", 2)];
    expect(said(...history, answered(3, 2, 2), answered(4, 1, 1))).toContain(
      "N2: p accepted an answer of stack of epoch 1 after one of 2",
    );
  });

  test("an execution after the successor's", () => {
    const history = [call(1, 1), ran(2, 1, "b.1.1", 2), call(3, 2), ran(40, 2, "a.1.1", 1)];
    expect(said(...history)).toContain(
      "N3: a.1.1 (epoch 1) ran a call to stack 38.0 ms after its successor b.1.1 (epoch 2) had begun",
    );
  });
});

describe("C1 to C3, calls", () => {
  test("a call without an outcome", () => {
    expect(said(call(1, 1), later(20_000))).toEqual([
      "C1: call p-1 of p to stack at 1 ms had no outcome",
    ]);
  });

  test("not of a caller that has ended, and not of one that just began", () => {
    expect(said(call(1, 1), life("end", 2, "p"), later(20_000))).toEqual([]);
    expect(said(call(1, 1), later(2_000))).toEqual([]);
  });

  test("a second outcome", () => {
    expect(said(call(1, 1), ran(2, 1), answered(3, 1), failed(4, 1, "maybe"))).toEqual([
      "C1: call p-1 had a second outcome",
    ]);
  });

  test("a second execution", () => {
    expect(said(call(1, 1), ran(2, 1), answered(3, 1), ran(4, 1))).toContain(
      "C2: call p-1 ran twice: by a.1.1 and by a.1.1",
    );
  });

  test.for([
    [call(1, 1), ran(2, 1), failed(3, 1, "no")],
    [call(1, 1), failed(2, 1, "no"), ran(3, 1)],
  ])("a call that ran although its error says no (%#)", (history) => {
    expect(said(...history)).toEqual([
      "C2: call p-1 ran, and its error (noproc) says that it did not",
    ]);
  });

  test("an answer of what never ran", () => {
    expect(said(call(1, 1), answered(2, 1))).toEqual([
      "C2: call p-1 was answered, and did not run",
    ]);
  });

  test("calls of one caller that ran in another order", () => {
    expect(said(call(1, 1), call(2, 2), ran(3, 2), ran(4, 1))).toEqual([
      "C3: a.1.1 ran call 1 of p to stack after call 2",
    ]);
  });
});

describe("P1, broadcasts", () => {
  const got = (atMs: number, number: number): HistoryEvent => ({
    type: "delivery",
    atMs,
    subscriber: "s",
    publisher: "b/1",
    topic: "news",
    number,
  });
  const told = (atMs: number, missed: number): HistoryEvent => ({
    type: "gap",
    atMs,
    subscriber: "s",
    publisher: "b/1",
    topic: "news",
    missed,
  });

  test("a gap that was reported is no breach", () => {
    expect(said(got(1, 1), told(2, 2), got(3, 4), got(4, 5))).toEqual([]);
  });

  test("a gap that was not reported, or not as a whole", () => {
    const breach = (count: number): string =>
      `P1: s missed 2 of b/1 on news before number 4, and was told of ${count}`;
    expect(said(got(1, 1), got(3, 4))).toEqual([breach(0)]);
    expect(said(got(1, 1), told(2, 1), got(3, 4))).toEqual([breach(1)]);
  });

  test.for([1, 2])("number %i again", (number) => {
    expect(said(got(1, 1), got(2, 2), got(3, number))).toEqual([
      `P1: s got number ${number} of b/1 on news after 2`,
    ]);
  });
});

describe("P1, how soon a gap is reported", () => {
  const publisher = "b/1";
  const sent = (atMs: number, topic: string, number: number): HistoryEvent => ({
    type: "publish",
    atMs,
    publisher,
    topic,
    number,
  });
  const got = (atMs: number, topic: string, number: number): HistoryEvent => ({
    type: "delivery",
    atMs,
    subscriber: `a.1.${topic}`,
    publisher,
    topic,
    number,
  });
  const told = (atMs: number, missed: number, topic = "notices"): HistoryEvent => ({
    type: "gap",
    atMs,
    subscriber: `a.1.${topic}`,
    publisher,
    topic,
    missed,
  });
  /** Broadcasts on another topic, every 100 ms from one time to another, that arrive `lateMs` later. */
  const heard = (fromMs: number, untilMs: number, lateMs = 1): HistoryEvent[] => {
    const count = (untilMs - fromMs) / 100 + 1;
    return Array.from({ length: count }, (_, index) => fromMs + index * 100).flatMap((atMs) => [
      sent(atMs, "news", atMs / 100),
      got(atMs + lateMs, "news", atMs / 100),
    ]);
  };
  /** What all these histories begin with: number 2 of the topic `notices` is sent at 1,050 ms, and does not arrive. */
  const lost = [sent(100, "notices", 1), got(101, "notices", 1), sent(1_050, "notices", 2)];
  /** As {@link said}, with everything in the order of time. */
  const saidOf = (...events: readonly HistoryEvent[]): string[] =>
    said(...events.toSorted((a, b) => a.atMs - b.atMs));
  const never = (atMs: number, knownMs: number): string =>
    `P1: a.1.notices was not told at ${atMs} ms that it missed number 2 of b/1 on notices, which its node could know at ${knownMs} ms`;

  test("within a second is no breach", () => {
    expect(saidOf(...lost, ...heard(100, 2_000), told(2_050, 1), ...heard(2_100, 4_000))).toEqual(
      [],
    );
  });

  test("a report that comes later, and one that never comes", () => {
    expect(saidOf(...lost, ...heard(100, 2_100), told(2_150, 1), ...heard(2_200, 4_000))).toEqual([
      "P1: a.1.notices was told only at 2150 ms that it missed number 2 of b/1 on notices, which its node could know at 1101 ms",
    ]);
    expect(saidOf(...lost, ...heard(100, 4_000))).toEqual([never(2_201, 1_101)]);
  });

  test("of several that are missing the first counts", () => {
    const second = sent(1_900, "notices", 3);
    expect(saidOf(...lost, second, ...heard(100, 2_100), told(2_150, 2))).toEqual([
      expect.stringContaining("was told only at 2150 ms that it missed number 2"),
    ]);
  });

  test("not while nothing of the publisher arrives, and a second from when it does again", () => {
    const silent = [...heard(100, 900), sent(1_100, "news", 11), told(5_000, 40, "news")];
    const back = [...lost, ...silent, ...heard(5_000, 5_900)];
    expect(saidOf(...back, told(5_950, 1))).toEqual([]);
    expect(saidOf(...back, ...heard(6_000, 6_100))).toEqual([never(6_101, 5_001)]);
  });

  test("what was sent before the loss shows nothing", () => {
    const old = Array.from({ length: 20 }, (_, index) => [
      sent(500 + index, "news", index + 1),
      got(1_100 + index * 100, "news", index + 1),
    ]).flat();
    expect(saidOf(...lost, ...old)).toEqual([]);
  });

  test.for(["a", "b", "nats-1"])("not during a fault of %s", (target) => {
    const cut: HistoryEvent = {
      type: "fault",
      atMs: 1_500,
      untilMs: 3_000,
      kind: "late",
      targets: [target],
    };
    expect(saidOf(cut, ...lost, ...heard(100, 3_000), told(3_900, 1))).toEqual([]);
    expect(saidOf(cut, ...lost, ...heard(100, 4_200))).toEqual([never(4_201, 3_101)]);
  });

  test("a fault of a third node excuses nothing", () => {
    const elsewhere: HistoryEvent = {
      type: "fault",
      atMs: 1_500,
      untilMs: 3_000,
      kind: "cut",
      targets: ["c"],
    };
    const third: HistoryEvent = { ...sent(1, "news", 1), publisher: "c/1" } as HistoryEvent;
    expect(saidOf(third, elsewhere, ...lost, ...heard(100, 4_000))).toEqual([never(2_201, 1_101)]);
  });

  test("not while other broadcasts are lost", () => {
    const holes = heard(100, 4_000).filter(({ atMs }) => atMs % 500 !== 1);
    const gaps = [500, 1_000, 1_500, 2_000, 2_500, 3_000, 3_500, 4_000].map((atMs) =>
      told(atMs + 100, 1, "news"),
    );
    expect(saidOf(...lost, ...holes, ...gaps)).toEqual([]);
  });

  test("another node may hear what this one does not", () => {
    const elsewhere = heard(100, 4_000).map((event) =>
      event.type === "delivery" ? { ...event, subscriber: "c.1.1" } : event,
    );
    expect(saidOf(...lost, ...elsewhere)).toEqual([]);
    const withoutNodes = [...lost, ...heard(100, 4_000)].map((event) =>
      event.type === "delivery" ? { ...event, subscriber: `of ${event.topic}` } : event,
    );
    expect(saidOf(...withoutNodes)).toEqual([]);
  });

  test("not of a subscriber that has ended, nor of one that was too slow", () => {
    const ended = life("end", 1_500, "a.1.notices");
    expect(saidOf(...lost, ...heard(100, 4_000), ended)).toEqual([]);
    const slow = { ...told(1_500, 7), publisher: "*" } as HistoryEvent;
    expect(saidOf(...lost, ...heard(100, 4_000), slow)).toEqual([]);
  });
});

describe("M1 and M2, monitors", () => {
  const monitor = (type: "monitor" | "demonitor", atMs: number): HistoryEvent => ({
    type,
    atMs,
    ref: "r1",
    watcher: "w",
    target: "t",
  });
  const down = (atMs: number): HistoryEvent => ({
    type: "down",
    atMs,
    ref: "r1",
    watcher: "w",
    reason: "killed",
  });

  test("one that fires once is no breach, nor is one that was ended", () => {
    expect(said(monitor("monitor", 1), life("end", 2, "t"), down(3), later(20_000))).toEqual([]);
    const ended = [monitor("monitor", 1), monitor("demonitor", 2), life("end", 3, "t")];
    expect(said(...ended, later(20_000))).toEqual([]);
  });

  test("one that fires twice", () => {
    expect(said(monitor("monitor", 1), life("end", 2, "t"), down(3), down(4))).toEqual([
      "M1: monitor r1 fired at 4 ms after it had fired at 3 ms",
    ]);
  });

  test("one that fires after it was ended", () => {
    expect(said(monitor("monitor", 1), monitor("demonitor", 2), down(4))).toEqual([
      "M2: monitor r1 fired at 4 ms after it was ended at 2 ms",
    ]);
  });

  test("one that never fires", () => {
    expect(said(monitor("monitor", 1), life("end", 2, "t"), later(10_002))).toEqual([
      "M1: monitor r1 never fired although t ended 10000 ms before the end of the history",
    ]);
  });

  test("one that tells of an end that never was", () => {
    expect(said(monitor("monitor", 1), down(3))).toEqual([
      "M1: monitor r1 fired at 3 ms (killed), and t lives",
    ]);
  });

  test("not if its watcher ended too", () => {
    const history = [monitor("monitor", 1), life("end", 2, "t"), life("end", 3, "w")];
    expect(said(...history, later(10_002))).toEqual([]);
  });
});

describe("S1 to S3, supervisors", () => {
  const of = { supervisor: "sup", child: "c" };

  test("two children of one id", () => {
    expect(said(life("start", 1, "c1", of), life("start", 2, "c2", of))).toEqual([
      "S1: sup had two children c: c1 and c2",
    ]);
  });

  test("a restart too many, and as many as allowed", () => {
    const restarts = (count: number): HistoryEvent[] =>
      Array.from({ length: count + 1 }, (_, index) => [
        life("start", index * 10, `c${index}`, of),
        life("end", index * 10 + 5, `c${index}`, of),
      ]).flat();
    const intensities = { sup: { maxRestarts: 2, maxSeconds: 5 } };
    expect(checkHistory(restarts(2), { intensities })).toEqual([]);
    expect(checkHistory(restarts(3), { intensities }).map(({ message }) => message)).toEqual([
      "sup restarted 3 times within 20 ms, and 2 in 5000 ms are allowed",
    ]);
  });

  test("a child that outlives its supervisor, and one that is started by a dead one", () => {
    const started = life("start", 1, "c1", of);
    expect(said(started, life("end", 2, "sup"), later(10_002))).toEqual([
      "S3: child c (c1) still lived 10000 ms after its supervisor sup had ended",
    ]);
    expect(said(life("end", 2, "sup"), life("start", 3, "c1", of))).toEqual([
      "S3: sup started child c (c1) after it had ended",
    ]);
  });

  test("a node that holds more than at first", () => {
    const census = (atMs: number, timers: number): HistoryEvent => ({
      type: "census",
      atMs,
      node: "a",
      counts: { timers, threads: 2 },
    });
    expect(said(census(1, 3), census(2, 3))).toEqual([]);
    expect(said(census(1, 3), census(2, 4))).toEqual([
      "S3: node a held 4 timers at 2 ms, and 3 at 1 ms",
    ]);
  });
});

describe("D1, drains", () => {
  test("a call that fails while a node is drained", () => {
    expect(said(fault("drain", 1, 100), call(2, 1), failed(3, 1, "no"))).toEqual([
      "D1: call p-1 failed (noproc) at 3 ms while a was drained",
    ]);
  });

  test("not before, not after, and not while something else goes wrong", () => {
    expect(said(call(1, 1), fault("drain", 2, 100), failed(3, 1, "no"))).toEqual([]);
    expect(said(fault("drain", 1, 100), call(101, 1), failed(103, 1, "no"))).toEqual([]);
    expect(
      said(fault("cut", 0, 50), fault("drain", 1, 100), call(2, 1), failed(3, 1, "no")),
    ).toEqual([]);
  });
});

describe("T1, wall clocks", () => {
  const jump = fault("wall-jump", 10_000);

  test("a name that changes its node after a jump", () => {
    expect(said(owned(1, 1, "a.1"), jump, owned(11_000, 2, "b.1"))).toEqual([
      "T1: stack went from a.1 to b.1 at 11000 ms, after the wall clock of a jumped at 10000 ms",
    ]);
  });

  test("a call that fails after a jump", () => {
    expect(said(jump, call(10_001, 1), failed(10_002, 1, "maybe"))).toEqual([
      "T1: call p-1 failed (noproc) at 10002 ms, after the wall clock of a jumped at 10000 ms",
    ]);
  });

  test("not if the owner restarts where it is, long after, or with another fault near", () => {
    expect(said(owned(1, 1, "a.1"), jump, owned(11_000, 2, "a.1"))).toEqual([]);
    expect(said(owned(1, 1, "a.1"), jump, owned(20_000, 2, "b.1"))).toEqual([]);
    const near = [jump, owned(11_000, 2, "b.1"), fault("kill", 11_001)];
    expect(said(owned(1, 1, "a.1"), ...near)).toEqual([]);
    expect(said(owned(1, 1, "a.1"), fault("kill", 9_000), jump, owned(11_000, 2, "b.1"))).toEqual(
      [],
    );
    const rebalanced = [fault("kill", 1), fault("wall-jump", 20_000), owned(21_000, 2, "b.1")];
    expect(said(owned(1, 1, "a.1"), ...rebalanced)).toEqual([]);
  });
});
