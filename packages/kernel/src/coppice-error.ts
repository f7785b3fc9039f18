/**
 * The base of all errors, in a file of its own so that every other can extend it.
 *
 * @module
 */

/** The base of every error this workspace throws on purpose. */
export abstract class CoppiceError extends Error {
  /** Stable, machine-readable, snake_case name: part of the public API, unlike `message`. */
  abstract readonly code: string;
}
