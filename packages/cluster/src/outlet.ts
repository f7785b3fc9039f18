/**
 * Outlets: how events reach a process that may be slow, within a bound, and never silently short.
 *
 * @module
 */
import type { Clock, Kernel, Pid } from "@coppice/kernel";

/** How many messages may wait in a subscriber's mailbox before events are withheld from it. Half of a mailbox. */
export const waitingMaxDefault = 5_000;
/** How often it is looked whether a slow subscriber has caught up, in milliseconds. */
const catchUpEveryMs = 50;

/**
 * Told to a subscriber in place of what it did not get: it arrives where the gap is, as a plain message.
 *
 * `lost`: messages of the node `node` did not arrive. `slow`: the subscriber had too many messages waiting.
 */
export class MissedMessages {
  /** The topic, or what else was subscribed to. */
  readonly source: string;
  readonly reason: "lost" | "slow";
  readonly count: number;
  /** Whose messages are missing; with `slow`, of anybody. */
  readonly node: string | undefined;

  constructor(options: {
    readonly source: string;
    readonly reason: "lost" | "slow";
    readonly count: number;
    readonly node?: string;
  }) {
    this.source = options.source;
    this.reason = options.reason;
    this.count = options.count;
    this.node = options.node;
  }
}

/** Where events of one subscription go. */
export class Outlet {
  readonly pid: Pid;
  readonly #kernel: Kernel;
  readonly #source: string;
  readonly #waitingMax: number;
  readonly #onSlow: (outlet: Outlet) => void;
  /** How many events may go before the mailbox is looked at again. */
  #credit = 0;
  #missed = 0;

  constructor(options: {
    readonly kernel: Kernel;
    readonly pid: Pid;
    readonly source: string;
    readonly waitingMax: number;
    readonly onSlow: (outlet: Outlet) => void;
  }) {
    this.#kernel = options.kernel;
    this.pid = options.pid;
    this.#source = options.source;
    this.#waitingMax = options.waitingMax;
    this.#onSlow = options.onSlow;
  }

  /** Hands an event over, or counts it as missed. An event must not change any more: its receivers share it. */
  deliver(event: object): void {
    if (this.#mayPass()) this.#kernel.side.remind(this.pid, event, false);
    else this.#miss();
  }

  /** Sends a plain message, as a copy, or counts it as missed. */
  send(message: unknown): void {
    if (!this.#mayPass() || this.#kernel.send(this.pid, message) === "overloaded") this.#miss();
  }

  #mayPass(): boolean {
    if (this.#credit === 0 && !this.catchUp()) return false;
    this.#credit -= 1;
    return true;
  }

  #miss(): void {
    this.#credit = 0;
    this.#missed += 1;
    if (this.#missed === 1) this.#onSlow(this);
  }

  /** Looks whether there is room; says first what was missed. A slow one must have emptied half of its room. */
  catchUp(): boolean {
    const room = this.#waitingMax - (this.#kernel.info(this.pid)?.mailbox ?? 0);
    if (room <= 0 || (this.#missed > 0 && room < this.#waitingMax / 2)) return false;
    this.#credit = room;
    if (this.#missed > 0) {
      const missed = { source: this.#source, reason: "slow", count: this.#missed } as const;
      this.#missed = 0;
      this.#kernel.side.remind(this.pid, new MissedMessages(missed), false);
    }
    return true;
  }
}

/** Makes outlets, and looks after the slow ones. */
export class Outlets {
  readonly #kernel: Kernel;
  readonly #clock: Clock;
  readonly #slow = new Set<Outlet>();
  #stopTimer: (() => void) | undefined;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.#clock = kernel.clock;
  }

  open(pid: Pid, source: string, waitingMax = waitingMaxDefault): Outlet {
    const onSlow = (outlet: Outlet): void => {
      this.#slow.add(outlet);
      this.#stopTimer ??= this.#clock.after(catchUpEveryMs, this.#catchUp);
    };
    return new Outlet({ kernel: this.#kernel, pid, source, waitingMax, onSlow });
  }

  stop(): void {
    this.#stopTimer?.();
    this.#slow.clear();
  }

  readonly #catchUp = (): void => {
    this.#stopTimer = undefined;
    for (const outlet of this.#slow)
      if (!this.#kernel.isAlive(outlet.pid) || outlet.catchUp()) this.#slow.delete(outlet);
    if (this.#slow.size > 0) this.#stopTimer = this.#clock.after(catchUpEveryMs, this.#catchUp);
  };
}
