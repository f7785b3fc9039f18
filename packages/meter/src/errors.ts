/**
 * Why a core module was not rewritten.
 *
 * @module
 */

/** The base of both, for a caller that only wants to know that there is no module. */
export abstract class MeterError extends Error {
  /** Stable and machine-readable. */
  abstract readonly code: string;
}

/** The bytes are not a valid core module: cut off, changed, or something else altogether. */
export class MalformedModuleError extends MeterError {
  static {
    this.prototype.name = "MalformedModuleError";
  }
  readonly code = "meter_malformed";
}

/** A valid module that uses what cannot be metered. */
export class UnsupportedModuleError extends MeterError {
  static {
    this.prototype.name = "UnsupportedModuleError";
  }
  readonly code = "meter_unsupported";
}

export function cutOff(): MalformedModuleError {
  return new MalformedModuleError(
    "the core module is cut off or malformed: build or copy it again",
  );
}
