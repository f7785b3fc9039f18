/**
 * The kernel: processes, mailboxes, links, monitors, exit reasons, time and randomness. No I/O.
 *
 * @module
 */
export type {
  Behaviour,
  Incoming,
  Outcome,
  ProcessInfo,
  SpawnOptions,
  StartResult,
} from "./behaviour.ts";
export { type Cancel, type Clock, sleep, systemClock, timerMsMax } from "./clock.ts";
export {
  CallError,
  type CallErrorCode,
  type CallFailure,
  CoppiceError,
  ExitError,
  NameTakenError,
} from "./errors.ts";
export {
  crashed,
  describeReason,
  errorData,
  type ErrorData,
  type ExitReason,
  isNormalLike,
  kill,
  killed,
  noconnection,
  noproc,
  normal,
  shutdown,
} from "./exit-reason.ts";
export { type CallOptions, callTimeoutMsDefault, type KernelOptions } from "./kernel-options.ts";
export { Kernel } from "./kernel.ts";
export { type LogFields, type Logger, silentLogger } from "./logger.ts";
export { parsePid, Pid, samePid } from "./pid.ts";
export { assertPlainData, depthMax, NotPlainDataError } from "./plain-data.ts";
export { mailboxCapacityDefault, type Watcher } from "./process.ts";
export { type Random, randomId, seededRandom, systemRandom } from "./random.ts";
export { Self } from "./self.ts";
export type { NodeAddress, Remote, Signal } from "./signal.ts";
