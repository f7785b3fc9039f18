/**
 * The network and storage seams, their in-memory forms, and how values become bytes.
 *
 * @module
 */
export {
  artifactBytesMax,
  ArtifactDamagedError,
  type Artifacts,
  assertArtifactSize,
  assertDigest,
  digestOf,
  MemoryArtifacts,
} from "./artifacts.ts";
export { decodeChecked, encodeChecked, withChecksum, withoutChecksum } from "./checked.ts";
export { decode, encode, ValueTooLargeError } from "./codec.ts";
export {
  assertSupported,
  nextNumber,
  type ProtocolVersion,
  protocolVersion,
  UnsupportedVersionError,
} from "./envelope.ts";
export { BadFrameError, type DecodeLimits, decodeLimitsDefault } from "./frame-limits.ts";
export { MemoryNetwork } from "./memory-network.ts";
export { MemoryStore } from "./memory-store.ts";
export { openPacket, type Packet, PacketWriter, readSignals } from "./packet.ts";
export {
  assertKey,
  type Change,
  ConflictError,
  type Entry,
  type Store,
  StoreUnavailableError,
} from "./store.ts";
export { subjectMatches, tokensMatch } from "./subject-match.ts";
export { escapeToken, Subjects, tokenLengthMax, unescapeToken } from "./subjects.ts";
export {
  type Message,
  NoRespondersError,
  partedBytesMax,
  PayloadTooLargeError,
  type PublishOptions,
  RequestTimeoutError,
  type Subscription,
  type Transport,
  TransportClosedError,
  type TransportStatus,
} from "./transport.ts";
