/**
 * `wasi:random`: the guest's randomness is the host's `Random`, as good as that is.
 *
 * @module
 */
import type { Random } from "@coppice/kernel";
import { WasiTrapError } from "./wasi-errors.ts";

/** The most random bytes one call returns. */
const lengthMax = 1_048_576;
const bytesPerWord = 4;

/** The interfaces by name. */
export function randomness(random: Random): Record<string, object> {
  const u64 = (): bigint => (BigInt(random.u32()) << 32n) | BigInt(random.u32());
  const bytes = (length: bigint): Uint8Array => {
    if (length > lengthMax)
      throw new WasiTrapError(
        `${length} random bytes were asked for; one call gives ${lengthMax} at most`,
      );
    return drawBytes(random, Number(length));
  };
  return {
    "wasi:random/random": { getRandomBytes: bytes, getRandomU64: u64 },
    "wasi:random/insecure": { getInsecureRandomBytes: bytes, getInsecureRandomU64: u64 },
    "wasi:random/insecure-seed": { insecureSeed: () => [u64(), u64()] },
  };
}

/** So many bytes of `random`. */
export function drawBytes(random: Random, length: number): Uint8Array {
  const words = new DataView(new ArrayBuffer(Math.ceil(length / bytesPerWord) * bytesPerWord));
  for (let at = 0; at < length; at += bytesPerWord) words.setUint32(at, random.u32());
  return new Uint8Array(words.buffer, 0, length);
}
