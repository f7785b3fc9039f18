/**
 * Erlang/OTP for the comparisons: Debian's `erlang-base`, installed where this machine allows it.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Whether Erlang is there, if need be after installing it. If not, `say` is told why. */
export function ensureErlang(say: (line: string) => void): boolean {
  if (existsSync("/usr/bin/erl")) return true;
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) {
    say("SKIPPED: Erlang: it is not installed, and only root on Debian can install it");
    return false;
  }
  say("installing erlang-base from Debian's packages");
  try {
    const options = ["-y", "-qq", "--no-install-recommends"];
    execFileSync("apt-get", ["update", "-qq"], { stdio: "ignore" });
    execFileSync("apt-get", ["install", ...options, "erlang-base"], { stdio: "ignore" });
    return true;
  } catch (thrown) {
    say(`SKIPPED: Erlang: apt-get failed: ${String(thrown)}`);
    return false;
  }
}

/** Compiles a module into a new folder, whose path is returned. */
export async function compileErlang(source: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "coppice-erlang-"));
  execFileSync("erlc", ["-o", folder, source]);
  return folder;
}
