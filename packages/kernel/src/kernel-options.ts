/**
 * How a kernel is made, and how a call through it is made.
 *
 * @module
 */
import type { Clock } from "./clock.ts";
import type { Logger } from "./logger.ts";
import type { Pid } from "./pid.ts";
import type { Random } from "./random.ts";

/** What a kernel is made with. */
export interface KernelOptions {
  /** The node's name. */
  readonly node: string;
  /** Which life of that node this is. */
  readonly incarnation: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** How to make a call. */
export interface CallOptions {
  /** How long to wait for the answer, in milliseconds; `Infinity` is allowed. Default: 5_000, as OTP (B2.1). */
  readonly timeoutMs?: number;
  /** What errors call the callee. Default: the name or the pid that was called. */
  readonly label?: string;
  /** The callee is on this node and must stay so: values of any kind may pass. A callee elsewhere is `noproc`. */
  readonly local?: boolean;
  /** The calling process, so that a call to itself is refused instead of waiting for ever. */
  readonly from?: Pid;
}

/** How long a call waits for its answer unless it says otherwise, in milliseconds. */
export const callTimeoutMsDefault = 5_000;

/**
 * What is known at once about a message that was sent. `queued`: it waits on this node, in a mailbox or because its sender may
 * not act for its name at the moment. `sent`: it is on its way
 * to another node, and may be lost (A6.4). The others: it was dropped.
 */
export type Delivery = "queued" | "sent" | "noproc" | "overloaded" | "noconnection";

/** How to monitor. */
export interface MonitorOptions {
  /** Comes back in the `down` message. */
  readonly tag?: unknown;
  /** An alias that ends with the monitor (A4.7). */
  readonly alias?: Pid;
}

/** How to stop monitoring. */
export interface DemonitorOptions {
  /** Also removes a `down` that waits in the mailbox (A4.5). Default: false. */
  readonly flush?: boolean;
}
