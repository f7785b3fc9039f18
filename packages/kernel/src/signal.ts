/**
 * Signals: everything one process can do to another, as data, so that it can cross nodes.
 *
 * All signals between two nodes travel on one ordered channel, or order between two processes would break (A6.1).
 *
 * @module
 */
import type { Outcome } from "./behaviour.ts";
import type { ExitReason } from "./exit-reason.ts";
import type { Pid } from "./pid.ts";

/** One life of one node: where a reply or a DOWN goes back to. */
export interface NodeAddress {
  readonly node: string;
  readonly incarnation: string;
}

/** A signal to a process, or back to a node. `name`: the receiving node looks it up, `to` says only which node. */
export type Signal =
  | { readonly type: "send"; readonly to: Pid; readonly name?: string; readonly message: unknown }
  | {
      readonly type: "cast";
      readonly to: Pid;
      readonly name?: string;
      readonly method: string;
      readonly args: readonly unknown[];
    }
  | {
      readonly type: "call";
      readonly to: Pid;
      readonly name?: string;
      /** Chosen by the caller's kernel; comes back in the reply. */
      readonly id: number;
      readonly origin: NodeAddress;
      readonly method: string;
      readonly args: readonly unknown[];
    }
  | {
      readonly type: "reply";
      readonly to: NodeAddress;
      readonly id: number;
      readonly outcome: Outcome;
    }
  /** The answer to a deferred call, on its way to the process that was called. */
  | {
      readonly type: "answer";
      readonly to: Pid;
      readonly tag: number;
      readonly outcome: Outcome;
    }
  | {
      readonly type: "exit";
      readonly to: Pid;
      readonly from: Pid;
      readonly reason: ExitReason;
      /** Whether this is a link breaking, rather than `exit(pid, reason)`. */
      readonly linked: boolean;
    }
  | { readonly type: "link"; readonly to: Pid; readonly from: Pid }
  | { readonly type: "unlink"; readonly to: Pid; readonly from: Pid }
  | {
      readonly type: "monitor";
      readonly to: Pid;
      readonly name?: string;
      readonly id: number;
      readonly origin: NodeAddress;
    }
  | {
      readonly type: "demonitor";
      readonly to: Pid;
      readonly id: number;
      readonly origin: NodeAddress;
    }
  | {
      readonly type: "down";
      readonly to: NodeAddress;
      readonly id: number;
      readonly pid: Pid;
      readonly reason: ExitReason;
    };

/** Carries signals to other nodes. Without one, every other node is unreachable. */
export interface Remote {
  /** Sends in order, at most once. False: the node is not reachable now, nothing was sent. */
  readonly deliver: (signal: Signal) => boolean;
  /** Which life of a node can be reached now. Without it no name of another node can. */
  readonly incarnationOf?: (node: string) => string | undefined;
}
