/**
 * The kernel: processes, mailboxes, links, monitors, exit reasons, time and randomness. No I/O.
 *
 * @module
 */
export {
  alreadyStarted,
  type Behaviour,
  type From,
  type Incoming,
  type IncomingCall,
  type Outcome,
  type ProcessFunction,
  type SpawnOptions,
  type StartResult,
} from "./behaviour.ts";
export { type Cancel, type Clock, sleep, systemClock, timerMsMax } from "./clock.ts";
export { CoppiceError } from "./coppice-error.ts";
export {
  CallError,
  type CallErrorCode,
  type CallFailure,
  ExitError,
  NameNotRegisteredError,
  NameTakenError,
  NoProcessError,
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
export {
  type CallOptions,
  callTimeoutMsDefault,
  type Delivery,
  type DemonitorOptions,
  type KernelOptions,
  type MonitorOptions,
} from "./kernel-options.ts";
export { Kernel } from "./kernel.ts";
export { type LogFields, type Logger, silentLogger } from "./logger.ts";
export { type Address, type NamedAddress, parsePid, Pid, samePid } from "./pid.ts";
export {
  assertPlainData,
  copyPlainData,
  depthMax,
  messageBytesMax,
  MessageTooLargeError,
  NotPlainDataError,
} from "./plain-data.ts";
export { describeMessage, type ProcessInfo } from "./process-info.ts";
export { nameLengthMax } from "./process-table.ts";
export { timerDelayMsMax } from "./process-timers.ts";
export { mailboxCapacityDefault, type Watcher } from "./process.ts";
export { type Random, randomId, seededRandom, systemRandom } from "./random.ts";
export type { ReceiveOptions } from "./receive.ts";
export { Self } from "./self.ts";
export type { NodeAddress, Remote, Signal } from "./signal.ts";
