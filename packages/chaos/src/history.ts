/**
 * What a run under faults writes down, and checkers read: one flat list of events, simulated and real runs alike.
 *
 * Times are milliseconds on one monotonic clock. Where the recorder of a node has a clock of its own, the harness shifts
 * its times before it checks.
 *
 * @module
 */

/** A call began. `id` is unique in the run and is what the callee records when it executes. */
export interface CallEvent {
  readonly type: "call";
  readonly atMs: number;
  readonly id: string;
  /** The calling process; its calls are numbered from 1 without holes, for each name. */
  readonly caller: string;
  readonly name: string;
  readonly number: number;
}

/** A call ended at its caller. */
export interface OutcomeEvent {
  readonly type: "outcome";
  readonly atMs: number;
  readonly id: string;
  /** `no` and `maybe`: an error that says whether the body ran. */
  readonly outcome: "answer" | "no" | "maybe";
  /** The error's code. */
  readonly code?: string;
  /** Who answered, as it wrote in its answer. */
  readonly epoch?: number;
}

/** The body of a call started. */
export interface ExecutionEvent {
  readonly type: "execution";
  readonly atMs: number;
  readonly id: string;
  readonly name: string;
  readonly node: string;
  /** The printed pid. */
  readonly pid: string;
  /** The epoch of the name under which it ran. */
  readonly epoch: number;
}

/** A write to the registry of names, in the store's own order. */
export interface OwnershipEvent {
  readonly type: "ownership";
  readonly atMs: number;
  readonly name: string;
  readonly revision: number;
  /** Nobody: the name was given up. */
  readonly owner?: string;
  readonly epoch?: number;
}

export interface PublishEvent {
  readonly type: "publish";
  readonly atMs: number;
  /** Begins with the name of its node, as `<node>/<life>` or a printed pid does. */
  readonly publisher: string;
  readonly topic: string;
  /** From 1 without holes, for each publisher and topic. */
  readonly number: number;
}

export interface DeliveryEvent {
  readonly type: "delivery";
  readonly atMs: number;
  /** The printed pid. */
  readonly subscriber: string;
  readonly publisher: string;
  readonly topic: string;
  readonly number: number;
}

/** A subscriber was told that it missed messages of a publisher and topic. */
export interface GapEvent {
  readonly type: "gap";
  readonly atMs: number;
  readonly subscriber: string;
  readonly publisher: string;
  readonly topic: string;
  readonly missed: number;
}

export interface MonitorEvent {
  readonly type: "monitor" | "demonitor";
  readonly atMs: number;
  readonly ref: string;
  readonly watcher: string;
  readonly target: string;
}

export interface DownEvent {
  readonly type: "down";
  readonly atMs: number;
  readonly ref: string;
  readonly watcher: string;
  readonly reason: string;
}

/** A process, as the host saw it come and go. */
export interface LifeEvent {
  readonly type: "start" | "end";
  readonly atMs: number;
  readonly node: string;
  readonly pid: string;
  /** The supervisor's printed name or pid, and the child's id in it. */
  readonly supervisor?: string;
  readonly child?: string;
}

/** A fault, and when it was taken back: the same for one that has no length. */
export interface FaultEvent {
  readonly type: "fault";
  readonly atMs: number;
  readonly untilMs: number;
  readonly kind: string;
  /** What it hit: nodes, servers, connections. */
  readonly targets: readonly string[];
}

/** What a node holds at a quiet moment. */
export interface CensusEvent {
  readonly type: "census";
  readonly atMs: number;
  readonly node: string;
  /** Such as `processes`, `threads`, `timers`, `subscriptions`, `names`. */
  readonly counts: Readonly<Record<string, number>>;
}

export type HistoryEvent =
  | CallEvent
  | OutcomeEvent
  | ExecutionEvent
  | OwnershipEvent
  | PublishEvent
  | DeliveryEvent
  | GapEvent
  | MonitorEvent
  | DownEvent
  | LifeEvent
  | FaultEvent
  | CensusEvent;

/** In the order of `atMs`; of one time, in the order in which they happened. */
export type History = readonly HistoryEvent[];

/** A promise that a history breaks. */
export interface Violation {
  /** As in `docs/guarantees.md`: `N1` to `T1`. */
  readonly promise: string;
  /** What happened, in one sentence with the names, numbers and times. */
  readonly message: string;
  /** The events that show it, in order. */
  readonly events: readonly HistoryEvent[];
}

/** Reads a whole history; an empty list if it keeps the promise. */
export type Checker = (history: History) => readonly Violation[];
