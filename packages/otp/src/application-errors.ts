/**
 * What is wrong with a set of applications.
 *
 * @module
 */
import { CoppiceError } from "@coppice/kernel";

/** An application is asked for, or depended on, that is not among those given. */
export class UnknownApplicationError extends CoppiceError {
  static {
    this.prototype.name = "UnknownApplicationError";
  }
  readonly code = "unknown_application";
  readonly application: string;
  /** Which application depends on it; undefined: it was asked for by name. */
  readonly neededBy: string | undefined;

  constructor(application: string, neededBy?: string) {
    const why = neededBy === undefined ? "" : `, which ${neededBy} depends on`;
    super(`unknown application: ${application}${why}; give its specification to Applications`);
    this.application = application;
    this.neededBy = neededBy;
  }
}

/** Applications depend on each other in a circle, so none of them can be the first to start. */
export class ApplicationCycleError extends CoppiceError {
  static {
    this.prototype.name = "ApplicationCycleError";
  }
  readonly code = "application_cycle";
  /** Each depends on the next; the last is the first again. */
  readonly cycle: readonly string[];

  constructor(cycle: readonly string[]) {
    super(`applications depend on each other in a circle: ${cycle.join(" -> ")}`);
    this.cycle = cycle;
  }
}

/** A specification of an application that cannot be used. */
export class ApplicationSpecError extends CoppiceError {
  static {
    this.prototype.name = "ApplicationSpecError";
  }
  readonly code = "bad_application_spec";
}
