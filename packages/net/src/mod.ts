/**
 * The network and storage seams, their in-memory forms, and how values become bytes.
 *
 * @module
 */
export { decode, encode } from "./codec.ts";
export { BadFrameError, type DecodeLimits, decodeLimitsDefault } from "./frame-limits.ts";
export {
  decodeFrames,
  encodeFrame,
  type Frame,
  frameVersion,
  UnsupportedVersionError,
} from "./frame.ts";
export { MemoryNetwork } from "./memory-network.ts";
export { MemoryStore } from "./memory-store.ts";
export {
  assertKey,
  type Change,
  ConflictError,
  type Entry,
  type Store,
  StoreUnavailableError,
} from "./store.ts";
export { subjectMatches } from "./subject-match.ts";
export { escapeToken, Subjects, unescapeToken } from "./subjects.ts";
export {
  type Message,
  NoRespondersError,
  RequestTimeoutError,
  type Subscription,
  type Transport,
  TransportClosedError,
  type TransportStatus,
} from "./transport.ts";
