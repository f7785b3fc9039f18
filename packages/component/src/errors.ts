/**
 * What goes wrong with components: with their files, with calls into them, and inside them.
 *
 * @module
 */
import { CoppiceError } from "@coppice/kernel";

/** There is no file to read. */
export class ComponentNotFoundError extends CoppiceError {
  static {
    this.prototype.name = "ComponentNotFoundError";
  }
  readonly code = "component_not_found";
  readonly path: string;

  constructor(path: string, options?: ErrorOptions) {
    super(`there is no component at ${path}: build it, or correct the path`, options);
    this.path = path;
  }
}

/** The bytes are not a usable component. */
export class NotAComponentError extends CoppiceError {
  static {
    this.prototype.name = "NotAComponentError";
  }
  readonly code = "not_a_component";
  readonly source: string;

  constructor(source: string, what: string, options?: ErrorOptions) {
    super(`${source} ${what}`, options);
    this.source = source;
  }
}

/** A component could not be built from its source. */
export class BuildError extends CoppiceError {
  static {
    this.prototype.name = "BuildError";
  }
  readonly code = "build_failed";
}

/** The component imports a function that the host does not give. */
export class MissingImportError extends CoppiceError {
  static {
    this.prototype.name = "MissingImportError";
  }
  readonly code = "missing_import";
  readonly importName: string;

  constructor(source: string, importName: string, signature: string) {
    super(`${source} imports ${importName}: ${signature}; pass it in imports`);
    this.importName = importName;
  }
}

/** The component exports no such function, or more than one of that name: nothing ran. */
export class UnknownFunctionError extends CoppiceError {
  static {
    this.prototype.name = "UnknownFunctionError";
  }
  readonly code = "unknown_function";
  readonly functionName: string;

  constructor(functionName: string, message: string) {
    super(message);
    this.functionName = functionName;
  }
}

/** A value does not fit its WIT type: nothing ran. */
export class BadArgumentError extends CoppiceError {
  static {
    this.prototype.name = "BadArgumentError";
  }
  readonly code = "bad_argument";
}

/** The `err` of a WIT `result`. A host import throws it to answer with one. */
export class WitError extends CoppiceError {
  static {
    this.prototype.name = "WitError";
  }
  readonly code = "wit_error";
  readonly payload: unknown;

  constructor(payload: unknown, options?: ErrorOptions) {
    super(typeof payload === "string" ? payload : `err ${printed(payload)}`, options);
    this.payload = payload;
  }
}

function printed(payload: unknown): string {
  const json = JSON.stringify(payload, (_key, value: unknown) =>
    typeof value === "bigint" ? String(value) : value,
  );
  return json ?? "without a value";
}

/** What a crash report shows of a trap. */
export interface TrapDetails {
  readonly function: string;
  /** What it was called with, one each: the kind of value and its size, never the value. */
  readonly arguments: readonly string[];
  /** Where in the guest, innermost first: the frames WebAssembly gives. Empty if the fault was the host's. */
  readonly stack: readonly string[];
  /** The last lines the guest wrote to stderr, oldest first. */
  readonly stderr: readonly string[];
}

/** The guest trapped, or an import failed under it: its instance is dead. */
export class TrapError extends CoppiceError {
  static {
    this.prototype.name = "TrapError";
  }
  readonly code = "trap";
  readonly details: TrapDetails;

  constructor(message: string, details: TrapDetails, options?: ErrorOptions) {
    super(`${details.function}: ${message}`, options);
    this.details = details;
  }
}

/** The instance trapped before: start a new one. */
export class InstanceDeadError extends CoppiceError {
  static {
    this.prototype.name = "InstanceDeadError";
  }
  readonly code = "instance_dead";

  constructor(options?: ErrorOptions) {
    super("the instance trapped before and cannot be entered again: start a new one", options);
  }
}

/** An instance runs one call at a time. */
export class InstanceBusyError extends CoppiceError {
  static {
    this.prototype.name = "InstanceBusyError";
  }
  readonly code = "instance_busy";

  constructor(running: string) {
    super(`the instance is running ${running}: wait for it, or call through a process`);
  }
}

/** A function of the host returned what its WIT type does not allow: the instance that called it has ended. */
export class ImportResultError extends CoppiceError {
  static {
    this.prototype.name = "ImportResultError";
  }
  readonly code = "bad_import_result";
}

/** A function of the host did not settle in time: the instance that waited for it has ended. */
export class ImportTimeoutError extends CoppiceError {
  static {
    this.prototype.name = "ImportTimeoutError";
  }
  readonly code = "import_timeout";

  constructor(what: string, limitMs: number) {
    super(`${what} did not settle within ${limitMs} ms: let it settle, or raise limits.importMs`);
  }
}

/** A guest gave its host more than its limit allows at once: it has ended. */
export class PayloadLimitError extends CoppiceError {
  static {
    this.prototype.name = "PayloadLimitError";
  }
  readonly code = "payload_limit";

  constructor(limitBytes: number) {
    super(
      `more than ${limitBytes} bytes left the guest at once: give less, or raise limits.payloadBytes`,
    );
  }
}
