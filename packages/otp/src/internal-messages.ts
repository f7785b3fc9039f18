/**
 * The messages a gen-server's process gets from its own node, by reference.
 *
 * @module
 */
import type { ExitReason } from "@coppice/kernel";

/** What the server's own process puts into its mailbox, by reference: no message from outside is one of these. */
export abstract class Internal {
  /** Only so that classes of the same shape are not taken for this one. */
  readonly isInternal = true;
}

/** A step to take before any message. */
export class Continue extends Internal {
  readonly about: unknown;
  constructor(about: unknown) {
    super();
    this.about = about;
  }
}

/** The idle time was over. Which one: a message may have come meanwhile. */
export class Idle extends Internal {}

/** Asks a server to stop: see `stopGenServer`. */
export class StopRequest extends Internal {
  readonly reason: ExitReason;
  constructor(reason: ExitReason) {
    super();
    this.reason = reason;
  }
}
