/**
 * Runs programs of the machine that end by themselves, such as `ip`, `nft` and `mount`.
 *
 * @module
 */
import { execFile, execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { CoppiceError } from "@coppice/kernel";

const execute = promisify(execFile);
/** No program that is run here has reason to take longer, in milliseconds; an image is given more. */
const timeoutMs = 30_000;
const outputBytesMax = 1 << 24;

/** A program of the machine failed. */
export class CommandError extends CoppiceError {
  static {
    this.prototype.name = "CommandError";
  }
  readonly code = "command_failed";
  readonly command: string;

  constructor(command: string, said: string, options: ErrorOptions) {
    super(`${command} failed: ${said.trim()}`, options);
    this.command = command;
  }
}

/** Resolves to what it wrote to stdout. @throws {CommandError} with what it wrote to stderr. */
export async function run(
  program: string,
  args: readonly string[],
  options: { readonly timeoutMs?: number } = {},
): Promise<string> {
  try {
    const { stdout } = await execute(program, [...args], {
      timeout: options.timeoutMs ?? timeoutMs,
      maxBuffer: outputBytesMax,
    });
    return stdout;
  } catch (cause) {
    throw commandError(program, args, cause);
  }
}

/** The same at once, for what has to be taken back even when the program is being ended. @throws {CommandError} */
export function runNow(program: string, args: readonly string[]): string {
  try {
    return execFileSync(program, [...args], {
      timeout: timeoutMs,
      maxBuffer: outputBytesMax,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  } catch (cause) {
    throw commandError(program, args, cause);
  }
}

function commandError(program: string, args: readonly string[], cause: unknown): CommandError {
  const { stderr, message } = cause as Error & { readonly stderr?: string };
  const command = [program, ...args].join(" ");
  return new CommandError(command, stderr === undefined || stderr === "" ? message : stderr, {
    cause,
  });
}

/** A name for something of the machine, which nobody else has: `coppice-1f2e3d`. */
export function uniqueName(): string {
  return `coppice-${randomBytes(3).toString("hex")}`;
}
