/**
 * The seam for what is too large for a message and never changes: bytes that are known by their digest.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { CoppiceError } from "@coppice/kernel";

/** The most bytes of one artifact: 64 MiB. */
export const artifactBytesMax = 64 << 20;

/** A place for bytes by their SHA-256, in hexadecimal: the same bytes are kept once. */
export interface Artifacts {
  /**
   * Keeps the bytes and returns their digest; does nothing more if they are kept already.
   *
   * @throws {RangeError} for more than {@link artifactBytesMax} bytes.
   * @throws {StoreUnavailableError} if they may not have been kept.
   */
  put(bytes: Uint8Array): Promise<string>;
  /**
   * The bytes of that digest, verified; undefined if there are none.
   *
   * @throws {ArtifactDamagedError} if what is kept has another digest.
   * @throws {StoreUnavailableError} if it cannot be asked.
   */
  get(digest: string): Promise<Uint8Array | undefined>;
}

/** What is kept under a digest has another: it was damaged or exchanged. */
export class ArtifactDamagedError extends CoppiceError {
  static {
    this.prototype.name = "ArtifactDamagedError";
  }
  readonly code = "artifact_damaged";
  readonly digest: string;

  constructor(digest: string, found: string) {
    super(
      `the artifact ${digest} has the digest ${found}: it was damaged or exchanged; delete and put it again`,
    );
    this.digest = digest;
  }
}

export function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** @throws {TypeError} for a text that is no digest. */
export function assertDigest(digest: string): void {
  if (!/^[0-9a-f]{64}$/.test(digest))
    throw new TypeError(`${JSON.stringify(digest)} is not a SHA-256 in lower-case hexadecimal`);
}

/** @throws {RangeError} for more than {@link artifactBytesMax} bytes. */
export function assertArtifactSize(bytes: Uint8Array): void {
  if (bytes.length > artifactBytesMax)
    throw new RangeError(
      `an artifact of ${bytes.length} bytes is too large: at most ${artifactBytesMax}`,
    );
}

/** All of it in this process. */
export class MemoryArtifacts implements Artifacts {
  readonly #kept = new Map<string, Uint8Array>();

  async put(bytes: Uint8Array): Promise<string> {
    assertArtifactSize(bytes);
    const digest = digestOf(bytes);
    this.#kept.set(digest, bytes.slice());
    return digest;
  }

  async get(digest: string): Promise<Uint8Array | undefined> {
    assertDigest(digest);
    return this.#kept.get(digest)?.slice();
  }
}
