/**
 * The link between a simulated machine and the network: what it does to what passes, in each direction.
 *
 * The faults belong to the machine and outlive its connections. What passes in one direction of one connection stays in
 * order, as on a real one.
 *
 * @module
 */
import type { Random } from "@coppice/kernel";
import { type LinkFaults, noFaults } from "../link-faults.ts";
import type { Gate, SimulatedTime } from "./simulated-time.ts";

/** Faults of a machine's link. Nobody is told of a cut. */
export class SimulatedLink {
  out: LinkFaults = noFaults;
  in: LinkFaults = noFaults;
  readonly #observers = new Set<() => void>();

  get isCut(): boolean {
    return this.out.cut || this.in.cut;
  }

  /** Changes the faults of either direction. */
  set(faults: { readonly out?: Partial<LinkFaults>; readonly in?: Partial<LinkFaults> }): void {
    this.out = { ...this.out, ...faults.out };
    this.in = { ...this.in, ...faults.in };
    for (const observer of this.#observers) observer();
  }

  /** Calls back after every change. Returns what stops it. */
  onChange(observer: () => void): () => void {
    this.#observers.add(observer);
    return () => void this.#observers.delete(observer);
  }
}

/** One direction of one connection. */
export class LinkDirection {
  readonly #time: SimulatedTime;
  readonly #random: Random;
  readonly #faults: () => LinkFaults;
  readonly #isOpen: () => boolean;
  readonly #gate: Gate | undefined;
  #held: (() => void)[] = [];
  /** When the last message passes: none may overtake it. */
  #lastMs = -Infinity;

  constructor(options: {
    readonly time: SimulatedTime;
    readonly random: Random;
    readonly faults: () => LinkFaults;
    /** Whether the connection carries anything: what must not be lost waits until it does. */
    readonly isOpen: () => boolean;
    /** Who receives. Nothing: the network itself. */
    readonly gate?: Gate;
  }) {
    this.#time = options.time;
    this.#random = options.random;
    this.#faults = options.faults;
    this.#isOpen = options.isOpen;
    this.#gate = options.gate;
  }

  /** Lets a message pass, or not. */
  pass(run: () => void): void {
    const faults = this.#faults();
    if (faults.cut || !this.#isOpen()) return;
    if (faults.loss > 0 && this.#share() < faults.loss) return;
    const copies = faults.duplicates > 0 && this.#share() < faults.duplicates ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) this.#plan(faults, run);
  }

  /** Lets pass what the real system repeats until it arrives: late, but once. */
  passSurely(run: () => void): void {
    const faults = this.#faults();
    if (faults.cut || !this.#isOpen()) this.#held.push(run);
    else this.#plan(faults, run);
  }

  /** The connection may carry something again. */
  goOn(): void {
    if (this.#held.length === 0 || this.#faults().cut || !this.#isOpen()) return;
    const held = this.#held;
    this.#held = [];
    for (const run of held) this.#plan(this.#faults(), run);
  }

  #plan(faults: LinkFaults, run: () => void): void {
    const { nowMs } = this.#time;
    const min = faults.delayMs[0];
    const max = faults.delayMs[1];
    const delayMs = max > min ? min + this.#share() * (max - min) : min;
    const atMs = Math.max(this.#lastMs, nowMs + delayMs);
    this.#lastMs = atMs;
    if (atMs === nowMs && this.#gate === undefined) run();
    else this.#time.at(atMs, run, this.#gate, true);
  }

  #share(): number {
    return this.#random.u32() / 2 ** 32;
  }
}
