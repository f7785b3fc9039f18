/**
 * Programs the demo needs and Debian has: found, or installed.
 *
 * @module
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { CoppiceError } from "@coppice/kernel";
import { findNatsServer } from "@coppice/net-nats";

const run = promisify(execFile);

/** A program is missing and cannot be installed here. */
export class MissingProgramError extends CoppiceError {
  static {
    this.prototype.name = "MissingProgramError";
  }
  readonly code = "missing_program";
}

/** The nats-server to use; installs Debian's when there is none. @throws {MissingProgramError} */
export async function ensureNatsServer(progress: (line: string) => void): Promise<string> {
  const find = (): string | undefined =>
    findNatsServer({
      given: process.env["COPPICE_NATS_SERVER"],
      path: process.env["PATH"] ?? "",
    });
  const found = find();
  if (found !== undefined) return found;
  await installPackage("nats-server", progress);
  const installed = find();
  if (installed === undefined) throw missing("nats-server", "it is not on the PATH afterwards");
  return installed;
}

/** Installs a package of Debian. @throws {MissingProgramError} if this machine does not allow it. */
export async function installPackage(
  name: string,
  progress: (line: string) => void,
): Promise<void> {
  if (!existsSync("/usr/bin/apt-get")) throw missing(name, "this machine has no apt-get");
  if (process.getuid?.() !== 0) throw missing(name, "only root can install packages");
  progress(`installing ${name} from Debian's packages`);
  const options = {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    maxBuffer: 1 << 26,
  };
  try {
    await run("apt-get", ["update", "-qq"], options);
    const install = ["install", "-y", "-qq", "--no-install-recommends", name];
    await run("apt-get", install, options);
  } catch (cause) {
    throw missing(name, `apt-get failed: ${(cause as Error).message.split("\n").at(-1)}`, {
      cause,
    });
  }
}

function missing(name: string, why: string, options?: ErrorOptions): MissingProgramError {
  const hint = name === "nats-server" ? " or set COPPICE_NATS_SERVER to its path" : "";
  return new MissingProgramError(
    `${name} is missing and cannot be installed (${why}): install it by hand${hint}`,
    options,
  );
}
