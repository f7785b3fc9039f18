/**
 * Why an instance is not saved, or a snapshot not taken up.
 *
 * @module
 */
import { CoppiceError } from "@coppice/kernel";

/** The instance is in a state that cannot be saved now. */
export class SnapshotRefusedError extends CoppiceError {
  static {
    this.prototype.name = "SnapshotRefusedError";
  }
  readonly code = "snapshot_refused";

  constructor(why: string, options?: ErrorOptions) {
    super(`the instance cannot be saved: ${why}`, options);
  }
}

/** The snapshot is larger than the limit of its component. */
export class SnapshotTooLargeError extends CoppiceError {
  static {
    this.prototype.name = "SnapshotTooLargeError";
  }
  readonly code = "snapshot_too_large";
  readonly bytes: number;
  readonly bytesMax: number;

  constructor(bytes: number, bytesMax: number) {
    super(`the snapshot has ${bytes} bytes of at most ${bytesMax}: raise limits.snapshotBytes`);
    this.bytes = bytes;
    this.bytesMax = bytesMax;
  }
}

/** The bytes are not a snapshot that this instance can be restored from. */
export class SnapshotMismatchError extends CoppiceError {
  static {
    this.prototype.name = "SnapshotMismatchError";
  }
  readonly code = "snapshot_mismatch";

  constructor(why: string, options?: ErrorOptions) {
    super(`the snapshot cannot be restored: ${why}`, options);
  }
}
