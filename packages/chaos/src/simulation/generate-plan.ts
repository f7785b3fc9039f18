/**
 * A fault plan from a seed.
 *
 * Each seed allows a random part of the kinds of faults (swarm testing), so that no kind hides another. Some seeds cut a
 * random part of the nodes off one by one and let them back in random order (swizzle-clogging), which finds what depends
 * on the order.
 *
 * @module
 */
import { type Random, seededRandom } from "@coppice/kernel";
import { type Fault, type FaultKind, faultKinds, type FaultPlan } from "./fault-plan.ts";

/** The faults begin within this time, in milliseconds. */
export const faultPhaseMs = 6_000;
/** The most faults of one plan, without those of clocks and of swizzles. */
const faultsMax = 5;
/** Keeps the plan's chances apart from those of the run. */
const planSalt = 0x9e3779b9;

const durations: Readonly<Partial<Record<FaultKind, readonly [number, number]>>> = {
  crash: [50, 6_000],
  stop: [50, 3_000],
  freeze: [100, 9_000],
  reset: [20, 2_500],
  "network-restart": [100, 4_000],
  "store-leaderless": [1_000, 8_000],
  "store-unavailable": [500, 6_000],
  "wall-jump": [0, 0],
};
const durationMsDefault = [200, 7_000] as const;

/** `among`: the kinds it may have. Default: all of them. */
export function generatePlan(
  seed: number,
  nodes: readonly string[],
  among: readonly FaultKind[] = faultKinds,
): FaultPlan {
  const random = seededRandom((seed ^ planSalt) >>> 0);
  const dice = new Dice(random);
  const passing = among.filter((kind) => kind !== "clock-rate"); // That is there from the start, or not at all.
  const drawn = passing.filter(() => dice.chance(0.4));
  const allowed =
    drawn.length > 0 || passing.length === 0 ? drawn : [dice.pick(passing.slice(0, 5))];
  const plan: Fault[] = [];
  if (dice.chance(0.5) && among.includes("clock-rate")) plan.push(...clocks(nodes, dice));
  if (dice.chance(0.15) && among.includes("isolate")) plan.push(...swizzle(nodes, dice));
  const count = allowed.length === 0 ? 0 : 1 + dice.below(faultsMax);
  for (let index = 0; index < count; index += 1)
    plan.push(oneFault(dice.pick(allowed), nodes, dice));
  return plan.sort((a, b) => a.atMs - b.atMs);
}

function oneFault(kind: FaultKind, nodes: readonly string[], dice: Dice): Fault {
  const [min, max] = durations[kind] ?? durationMsDefault;
  // Short ones are more likely: many limits are below a second.
  const share = dice.share();
  const durationMs = Math.round(min + share * share * (max - min));
  const atMs = dice.below(faultPhaseMs);
  const [first, second] = dice.shuffle(nodes);
  const isForAll = kind === "store-leaderless" || kind === "store-unavailable";
  const targets =
    kind === "network-restart" || isForAll ? [] : kind === "one-way" ? [first!, second!] : [first!];
  return { kind, atMs, durationMs, targets, amount: amountOf(kind, dice) };
}

function amountOf(kind: FaultKind, dice: Dice): number {
  switch (kind) {
    case "isolate":
      return dice.below(3);
    case "delay":
      return dice.pick([20, 80, 300, 1_000, 3_000]);
    case "reset":
      return dice.pick([0, 0, 300, 2_000]);
    case "store-slow":
      return dice.pick([300, 1_500, 4_000]);
    case "loss":
      return dice.pick([0.02, 0.1, 0.3]);
    case "duplicate":
      return dice.pick([0.05, 0.3]);
    case "lost-acks":
      return dice.pick([0.2, 0.5, 1]);
    case "stale":
      return dice.pick([100, 700, 3_000]);
    case "wall-jump":
      return dice.pick([-3_600_000, -5_000, 5_000, 3_600_000]);
    default:
      return 0;
  }
}

function clocks(nodes: readonly string[], dice: Dice): Fault[] {
  return nodes.map((node) => ({
    kind: "clock-rate",
    atMs: 0,
    durationMs: 0,
    targets: [node],
    amount: 0.95 + Math.round(dice.share() * 100) / 1_000,
  }));
}

/** One node after the other is cut off, and they come back in another order. */
function swizzle(nodes: readonly string[], dice: Dice): Fault[] {
  const stepMs = 50 + dice.below(1_500);
  const hit = dice.shuffle(nodes).slice(0, 1 + dice.below(nodes.length));
  const beginMs = dice.below(faultPhaseMs / 2);
  const healMs = beginMs + hit.length * stepMs;
  const back = dice.shuffle(hit);
  return hit.map((node, index) => {
    const atMs = beginMs + index * stepMs;
    const untilMs = healMs + (back.indexOf(node) + 1) * stepMs;
    return { kind: "isolate", atMs, durationMs: untilMs - atMs, targets: [node], amount: 0 };
  });
}

/** Chances from one generator. */
class Dice {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  share(): number {
    return this.#random.u32() / 2 ** 32;
  }

  chance(share: number): boolean {
    return this.share() < share;
  }

  below(count: number): number {
    return this.#random.u32() % count;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  shuffle<T>(items: readonly T[]): T[] {
    const shuffled = [...items];
    for (let index = shuffled.length - 1; index > 0; index -= 1) {
      const other = this.below(index + 1);
      [shuffled[index], shuffled[other]] = [shuffled[other]!, shuffled[index]!];
    }
    return shuffled;
  }
}
