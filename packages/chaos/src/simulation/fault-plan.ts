/**
 * A fault plan: what goes wrong in one simulated run, when, and for how long. Plain data, so that it can be made smaller.
 *
 * @module
 */

/** What a fault is, and what its `amount` means. */
export const faultKinds = [
  /** Killed; it starts again when the fault is over. */
  "crash",
  /** Stopped in order; it starts again when the fault is over. */
  "stop",
  /** SIGSTOP. */
  "freeze",
  /** Cut off from network and store, silently. `amount`: 0 both ways, 1 it hears nothing, 2 it is not heard. */
  "isolate",
  /** The first target against all others, which keep the store. */
  "partition",
  /** The second target does not hear the first. */
  "one-way",
  /** The connection breaks, which the network knows. `amount`: after so many milliseconds the node knows it too. */
  "reset",
  /** Every connection breaks, and the store answers nothing. */
  "network-restart",
  /** What it gets is late. `amount`: by up to so many milliseconds. */
  "delay",
  /** `amount`: the share of its messages that is lost. */
  "loss",
  /** `amount`: the share of its messages that arrives twice. */
  "duplicate",
  /** The store answers a node nothing. */
  "store-cut",
  /** Answers of the store are late. `amount`: by up to so many milliseconds. */
  "store-slow",
  /** The store makes no writes, for anybody. */
  "store-leaderless",
  /** The store answers nobody. */
  "store-unavailable",
  /** `amount`: the share of its writes that are made and not acknowledged. */
  "lost-acks",
  /** Its watches and reads are behind. `amount`: by so many milliseconds. */
  "stale",
  /** Its wall clock jumps. `amount`: by so many milliseconds. */
  "wall-jump",
  /** Its monotonic clock runs at this rate, always. */
  "clock-rate",
] as const;

export type FaultKind = (typeof faultKinds)[number];

export interface Fault {
  readonly kind: FaultKind;
  /** Counted from when the cluster runs, in milliseconds. */
  readonly atMs: number;
  readonly durationMs: number;
  /** Nodes; none: everybody. */
  readonly targets: readonly string[];
  readonly amount: number;
}

export type FaultPlan = readonly Fault[];

/** When the last fault of a plan is over, in milliseconds. */
export function planEndMs(plan: FaultPlan): number {
  return Math.max(0, ...plan.map(({ atMs, durationMs }) => atMs + durationMs));
}

/** How fast the monotonic clock of a node runs under a plan, compared with true time. */
export function clockRateOf(plan: FaultPlan, node: string): number {
  const fault = plan.find(({ kind, targets }) => kind === "clock-rate" && targets[0] === node);
  return fault?.amount ?? 1;
}

/** A fault as a sentence. */
export function describeFault({ kind, atMs, durationMs, targets, amount }: Fault): string {
  const at = `at ${spaced(atMs)} ms`;
  const lasted = `for ${spaced(durationMs)} ms`;
  const [node = "all", other = "?"] = targets;
  const percent = `${Math.round(amount * 100)} %`;
  switch (kind) {
    case "crash":
      return `${at} node ${node} was killed, and started again ${spaced(durationMs)} ms later`;
    case "stop":
      return `${at} node ${node} was stopped in order, and started again ${spaced(durationMs)} ms later`;
    case "freeze":
      return `${at} node ${node} froze ${lasted}`;
    case "isolate":
      return `${at} node ${node} ${isolation[amount] ?? isolation[0]} ${lasted}`;
    case "partition":
      return `${at} node ${node} was cut off from the other nodes and the store ${lasted}`;
    case "one-way":
      return `${at} node ${other} heard nothing of node ${node} ${lasted}`;
    case "reset":
      return `${at} the connection of node ${node} broke ${lasted}, which it noticed after ${spaced(amount)} ms`;
    case "network-restart":
      return `${at} the network was down ${lasted}`;
    case "delay":
      return `${at} node ${node} got everything up to ${spaced(amount)} ms late ${lasted}`;
    case "loss":
      return `${at} node ${node} lost ${percent} of its messages ${lasted}`;
    case "duplicate":
      return `${at} node ${node} got ${percent} of its messages twice ${lasted}`;
    case "store-cut":
      return `${at} node ${node} did not reach the store ${lasted}`;
    case "store-slow":
      return `${at} node ${node} got answers of the store up to ${spaced(amount)} ms late ${lasted}`;
    case "store-leaderless":
      return `${at} the store made no writes ${lasted}`;
    case "store-unavailable":
      return `${at} the store answered nobody ${lasted}`;
    case "lost-acks":
      return `${at} node ${node} got no answer to ${percent} of its writes ${lasted}`;
    case "stale":
      return `${at} node ${node} saw the store as it was ${spaced(amount)} ms before ${lasted}`;
    case "wall-jump":
      return `${at} the wall clock of node ${node} jumped by ${spaced(amount)} ms`;
    case "clock-rate":
      return `the clock of node ${node} ran at ${amount.toFixed(3)} of true time`;
  }
}

const isolation = ["was cut off silently", "heard nothing", "was not heard"];

/** Digits in groups of three. */
function spaced(value: number): string {
  return String(Math.round(value)).replaceAll(/\B(?=(?:\d{3})+$)/g, " ");
}
