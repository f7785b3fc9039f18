/**
 * The libraries that a program of this machine loads.
 *
 * @module
 */
import { run } from "./command.ts";

/** @throws {CommandError} if it is no such program. */
export async function sharedLibrariesOf(program: string): Promise<string[]> {
  return librariesIn(await run("ldd", [program]));
}

/** The files named in what `ldd` writes, its loader included. */
export function librariesIn(output: string): string[] {
  const files = output
    .split("\n")
    .map((line) => /(?:=> )?(\/\S+) \(0x[0-9a-f]+\)$/.exec(line.trim())?.[1]);
  return files.filter((file) => file !== undefined);
}
