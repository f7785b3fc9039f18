/**
 * What a registry refuses, so that a caller can handle it by class or by `code`.
 *
 * @module
 */
import { CoppiceError } from "@coppice/kernel";

/** The registry does not run: it was not started, or has ended and not been started again. */
export class UnknownRegistryError extends CoppiceError {
  static {
    this.prototype.name = "UnknownRegistryError";
  }
  readonly code = "unknown_registry";
  readonly registry: string;

  constructor(registry: string) {
    super(`unknown registry: ${registry} does not run; start it, or wait until it is restarted`);
    this.registry = registry;
  }
}

/** The registry holds as many entries as it may. */
export class RegistryFullError extends CoppiceError {
  static {
    this.prototype.name = "RegistryFullError";
  }
  readonly code = "registry_full";
  readonly registry: string;
  readonly entriesMax: number;

  constructor(registry: string, entriesMax: number) {
    super(`registry ${registry} is full: it holds ${entriesMax} entries, as many as it may`);
    this.registry = registry;
    this.entriesMax = entriesMax;
  }
}

/** A lock was not free in time, or too many wait for it already. What was to run under it did not run. */
export class LockBusyError extends CoppiceError {
  static {
    this.prototype.name = "LockBusyError";
  }
  readonly code = "lock_busy";
}

/** A message was sent to a via-name that nobody holds (A5.2). */
export class NotRegisteredError extends CoppiceError {
  static {
    this.prototype.name = "NotRegisteredError";
  }
  readonly code = "not_registered";
}
