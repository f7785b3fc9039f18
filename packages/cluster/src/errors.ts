/**
 * What goes wrong between nodes.
 *
 * @module
 */
import { CoppiceError, type ExitReason } from "@coppice/kernel";
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
