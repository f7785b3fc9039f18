/**
 * What goes wrong between nodes.
 *
 * @module
 */
import { CoppiceError, type ExitReason, type NodeAddress, type Pid } from "@coppice/kernel";
import { tokenLengthMax } from "./service-subjects.ts";
import { describeStartFailure } from "@coppice/otp";

/** Another node of this name is running in the cluster. */
export class NodeNameTakenError extends CoppiceError {
  static {
    this.prototype.name = "NodeNameTakenError";
  }
  readonly code = "node_name_taken";
  readonly node: string;

  constructor(node: string, options?: ErrorOptions) {
    super(`a node named ${node} is running in this cluster: choose another name`, options);
    this.node = node;
  }
}

/** The other nodes ended this life of the node while it was frozen: it has stopped, and can be started anew. */
export class NodeDeposedError extends CoppiceError {
  static {
    this.prototype.name = "NodeDeposedError";
  }
  readonly code = "node_deposed";
  readonly node: string;
  readonly incarnation: string;

  constructor({ node, incarnation }: NodeAddress) {
    super(
      `node ${node} did not run for so long that others ended its session: all its processes have ended, start it anew`,
    );
    this.node = node;
    this.incarnation = incarnation;
  }
}

/** The store of the names lost writes it had acknowledged: this node owns nothing on it. The cause of a `StoreUnavailableError`. */
export class RegistryRegressedError extends CoppiceError {
  static {
    this.prototype.name = "RegistryRegressedError";
  }
  readonly code = "registry_regressed";
  /** The revision it is at, or less. */
  readonly found: number;
  /** The revision that was seen before. */
  readonly seen: number;

  constructor(found: number, seen: number) {
    super(
      `the store of the names is at revision ${found}, and was at ${seen}: it lost writes, and this node owns no name until the store is ahead of that; if it never will be, restart all nodes`,
    );
    this.found = found;
    this.seen = seen;
  }
}

/** A signal is larger than the network carries. */
export class SignalTooLargeError extends CoppiceError {
  static {
    this.prototype.name = "SignalTooLargeError";
  }
  readonly code = "signal_too_large";
  readonly bytes: number;
  readonly bytesMax: number;

  constructor(bytes: number, bytesMax: number) {
    super(`a message of ${bytes} bytes cannot cross nodes: at most ${bytesMax} can, send less`);
    this.bytes = bytes;
    this.bytesMax = bytesMax;
  }
}

/** What a node was to supervise did not start. */
export class StartError extends CoppiceError {
  static {
    this.prototype.name = "StartError";
  }
  readonly code = "start_failed";
  readonly reason: ExitReason;

  constructor(id: string, reason: ExitReason) {
    super(`${id} did not start: ${describeStartFailure(reason)}`);
    this.reason = reason;
  }
}

/** A name is too long to be a key of the store and a token of a subject. */
export class NameTooLongError extends CoppiceError {
  static {
    this.prototype.name = "NameTooLongError";
  }
  readonly code = "name_too_long";
  readonly start: string;

  constructor(name: string, options?: ErrorOptions) {
    super(
      `the name ${JSON.stringify(name.slice(0, 40))}… is too long: ${name.length} characters; at most ${tokenLengthMax} fit, fewer where they must be escaped`,
      options,
    );
    this.start = name.slice(0, 40);
  }
}

/** Another process has the name. */
export class ClusterNameTakenError extends CoppiceError {
  static {
    this.prototype.name = "ClusterNameTakenError";
  }
  readonly code = "name_taken";
  readonly taken: string;
  /** Who has it; nothing while it is being started. */
  readonly pid: Pid | undefined;

  constructor(taken: string, pid: Pid | undefined) {
    super(`the name ${taken} is taken${pid === undefined ? "" : ` by ${pid}`}: choose another`);
    this.taken = taken;
    this.pid = pid;
  }
}

/** No process is registered under the name, or one that cannot be unregistered. */
export class ClusterNameNotRegisteredError extends CoppiceError {
  static {
    this.prototype.name = "ClusterNameNotRegisteredError";
  }
  readonly code = "not_registered";

  constructor(name: string) {
    super(`${name} was not given to a process by register: there is nothing to unregister`);
  }
}
