import { checkHistory, type HistoryEvent } from "@coppice/chaos";
import { type Random, seededRandom } from "@coppice/kernel";
import fc from "fast-check";
import { expect, test } from "vitest";

/** A history without a fault: a name that changes hands, calls, broadcasts with gaps, monitors, children. */
function soundHistory(random: Random): HistoryEvent[] {
  const below = (max: number): number => random.u32() % max;
  const history: HistoryEvent[] = [];
  let atMs = 0;
  let [epoch, calls, published, refs, children] = [1, 0, 0, 0, 0];
  const child = { supervisor: "sup", child: "c", node: "a" };
  for (let step = 0; step < 60; step += 1) {
    atMs += 1 + below(20);
    const pid = `n.1.${epoch}`;
    switch (step < 5 ? step : below(5)) {
      case 0: {
        calls += 1;
        const id = `call ${calls}`;
        history.push({ type: "call", atMs, id, caller: "p", name: "x", number: calls });
        const outcome = (["answer", "no", "maybe"] as const)[step === 0 ? 0 : below(3)]!;
        if (outcome !== "no")
          history.push({ type: "execution", atMs, id, name: "x", node: "n", pid, epoch });
        atMs += 1;
        history.push({ type: "outcome", atMs, id, outcome, epoch });
        break;
      }
      case 1:
        epoch += 1;
        history.push({ type: "ownership", atMs, name: "x", revision: epoch, owner: "n.1", epoch });
        break;
      case 2: {
        const missed = published === 0 ? 0 : below(3);
        const of = { subscriber: "s", publisher: "b/1", topic: "t" };
        if (missed > 0) history.push({ type: "gap", atMs, ...of, missed });
        published += missed + 1;
        history.push({ type: "delivery", atMs, ...of, number: published });
        break;
      }
      case 3: {
        refs += 1;
        const target = `target ${refs}`;
        const of = { ref: `ref ${refs}`, watcher: "w" };
        history.push({ type: "monitor", atMs, ...of, target });
        history.push({ type: "end", atMs, node: "n", pid: target });
        history.push({ type: "down", atMs, ...of, reason: "killed" });
        break;
      }
      default:
        if (children > 0) history.push({ type: "end", atMs, pid: `child ${children}`, ...child });
        children += 1;
        history.push({ type: "start", atMs, pid: `child ${children}`, ...child });
    }
  }
  history.push({ type: "fault", atMs: atMs + 60_000, untilMs: 0, kind: "nothing", targets: [] });
  return history;
}

type Plant = (history: readonly HistoryEvent[], pick: (count: number) => number) => HistoryEvent[];

/** Leaves one event of a type out. */
const without =
  (type: HistoryEvent["type"]): Plant =>
  (history, pick) => {
    const all = history.filter((event) => event.type === type);
    const gone = all[pick(all.length)];
    return history.filter((event) => event !== gone);
  };

/** Repeats one event of a type right after it happened. */
const twice =
  (type: HistoryEvent["type"]): Plant =>
  (history, pick) => {
    const all = history.filter((event) => event.type === type);
    const one = all[pick(all.length)];
    return history.flatMap((event) => (event === one ? [event, event] : [event]));
  };

const planted: readonly (readonly [what: string, promise: string, plant: Plant])[] = [
  ["an outcome is missing", "C1", without("outcome")],
  ["an outcome comes twice", "C1", twice("outcome")],
  ["a body runs twice", "C2", twice("execution")],
  ["a broadcast arrives twice", "P1", twice("delivery")],
  ["a write is made under an old revision", "N1", twice("ownership")],
  ["a monitor does not fire", "M1", without("down")],
  ["a monitor fires twice", "M1", twice("down")],
  ["a child starts twice", "S1", twice("start")],
  [
    "an answer comes from an owner that was replaced",
    "N2",
    (history) => {
      const late = { type: "call", id: "late", caller: "p", name: "x", number: 1_000 } as const;
      const last = history.at(-1)!.atMs;
      const newer = { ...late, id: "newer", number: 999 };
      return [
        ...history,
        { ...newer, atMs: last },
        { type: "outcome", atMs: last, id: "newer", outcome: "answer", epoch: 1_000 },
        { ...late, atMs: last },
        { type: "outcome", atMs: last, id: "late", outcome: "answer", epoch: 1 },
      ];
    },
  ],
];

test("a sound history is accepted", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0 }), (seed) => {
      expect(checkHistory(soundHistory(seededRandom(seed)))).toEqual([]);
    }),
  );
});

test.for(planted)("found: %s (%s)", ([, promise, plant]) => {
  fc.assert(
    fc.property(fc.integer({ min: 0 }), (seed) => {
      const random = seededRandom(seed);
      const broken = plant(soundHistory(random), (count) => random.u32() % count);
      expect(checkHistory(broken).map((violation) => violation.promise)).toContain(promise);
    }),
  );
});
