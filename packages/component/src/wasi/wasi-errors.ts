/**
 * What goes wrong with a sandbox as a whole, and what a single call of WASI answers when it fails.
 *
 * @module
 */
import { CoppiceError } from "@coppice/kernel";

/** The `wasi` options of a component make no sense: it does not start. */
export class WasiOptionError extends CoppiceError {
  static {
    this.prototype.name = "WasiOptionError";
  }
  readonly code = "bad_wasi_option";
}

/** What a WASI call answers instead of its result: the guest gets the payload as `err`. */
export class WasiError extends CoppiceError {
  static {
    this.prototype.name = "WasiError";
  }
  readonly code = "wasi_error";
  /** In WASI's own form: a code such as `no-entry`, or a variant. jco hands it to the guest. */
  readonly payload: unknown;

  constructor(payload: unknown, options?: ErrorOptions) {
    const { tag } = Object(payload) as { readonly tag?: unknown };
    super(`a WASI call answered ${String(tag ?? payload)}`, options);
    this.payload = payload;
  }
}

/** The guest called `wasi:cli/exit`: its instance is over. */
export class GuestExitError extends CoppiceError {
  static {
    this.prototype.name = "GuestExitError";
  }
  readonly code = "guest_exit";
  /** 0 is success. `exit(err)` is 1. */
  readonly status: number;
  /** For the crash report. */
  readonly details: { readonly stderr: readonly string[] };

  /** `stderr` is the last lines the guest wrote there. */
  constructor(status: number, stderr: readonly string[]) {
    super(`the component ended itself with status ${status}`);
    this.status = status;
    this.details = { stderr };
  }
}

/** The guest is over: nothing it began goes on. */
export class WasiEndedError extends CoppiceError {
  static {
    this.prototype.name = "WasiEndedError";
  }
  readonly code = "wasi_ended";

  constructor() {
    super("the component has ended: nothing it began goes on");
  }
}

/** The guest holds too many handles: it traps. */
export class HandleLimitError extends CoppiceError {
  static {
    this.prototype.name = "HandleLimitError";
  }
  readonly code = "handle_limit";

  constructor(handlesMax: number) {
    super(`the component holds ${handlesMax} WASI handles, which is the most it may: drop some`);
  }
}

/** The guest broke a rule of WASI that calls for a trap. */
export class WasiTrapError extends CoppiceError {
  static {
    this.prototype.name = "WasiTrapError";
  }
  readonly code = "wasi_misuse";
}
