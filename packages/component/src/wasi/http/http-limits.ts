/**
 * How much HTTP one guest may do.
 *
 * @module
 */

/** Limits of one guest's requests. */
export interface HttpLimits {
  /** The longest an exchange may take, from its start to the last byte of the response, in milliseconds. */
  readonly timeoutMs: number;
  /** The most bytes of one request's body. */
  readonly requestBytesMax: number;
  /** The most bytes of one response's body that the guest may read. */
  readonly responseBytesMax: number;
  /** The most exchanges at once. */
  readonly concurrentMax: number;
}

export const defaultHttpLimits: HttpLimits = {
  timeoutMs: 60_000,
  requestBytesMax: 67_108_864,
  responseBytesMax: 67_108_864,
  concurrentMax: 16,
};
