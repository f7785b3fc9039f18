/**
 * The WASI world of one guest: nothing but its output, unless the host says otherwise.
 *
 * @module
 */
import { WASIShim } from "@bytecodealliance/preview2-shim/instantiation";
import type { GuestOutput } from "./guest-output.ts";

/** The imports of WASI: no files, no environment, no arguments, no network. */
export function sandboxedWasi(stdout: GuestOutput, stderr: GuestOutput): Record<string, unknown> {
  const shim = new WASIShim({
    sandbox: { preopens: {}, env: {}, args: [], enableNetwork: false },
  });
  const imports = shim.getImportObject() as unknown as Record<string, unknown>;
  return {
    ...imports,
    "wasi:cli/stdout": { getStdout: () => stdout.stream() },
    "wasi:cli/stderr": { getStderr: () => stderr.stream() },
  };
}
