/**
 * Heartbeats on the wire.
 *
 * A beat is, behind a checksum, a msgpack list: major and minor version, node, incarnation, operating-system pid, when it was sent on the
 * sender's clock in milliseconds, and whether the sender leaves. A later minor version may append to it.
 *
 * @module
 */
import {
  assertSupported,
  BadFrameError,
  decodeChecked,
  encodeChecked,
  protocolVersion,
} from "@coppice/net";
import type { Beat } from "./membership-state.ts";

/** Larger ones are not read. */
const beatLimits = { bytesMax: 4_096, itemsMax: 64, elementsMax: 256 };

export function encodeBeat({
  node,
  incarnation,
  osPid,
  sentMs,
  leaving = false,
}: Beat): Uint8Array {
  const { major, minor } = protocolVersion;
  return encodeChecked([major, minor, node, incarnation, osPid, sentMs, leaving]);
}

/**
 * @throws {UnsupportedVersionError} for one of another major version.
 * @throws {BadFrameError} for what is none, or was damaged: another incarnation would say that a node that lives is over.
 */
export function decodeBeat(data: Uint8Array): Beat {
  const value = decodeChecked(data, beatLimits);
  if (!Array.isArray(value)) throw new BadFrameError("a heartbeat is malformed");
  const [major, minor, node, incarnation, osPid, sentMs, leaving] = value as unknown[];
  if (typeof major === "number") assertSupported(major);
  const isBeat =
    typeof minor === "number" &&
    typeof node === "string" &&
    typeof incarnation === "string" &&
    typeof osPid === "number" &&
    typeof sentMs === "number" &&
    typeof leaving === "boolean";
  if (!isBeat) throw new BadFrameError("a heartbeat is malformed");
  return { node, incarnation, osPid, sentMs, leaving };
}
