/**
 * The command that writes TypeScript for a component.
 *
 * @module
 */
import { writeFile } from "node:fs/promises";
import { componentTypes } from "@coppice/component";
import { UsageError } from "../exit-codes.ts";

/** What to read, and where to write. */
export interface TypesCommand {
  /** A component, a WIT file, or a folder of WIT files. */
  readonly file: string;
  /** Which world of the WIT. Default: the only one. */
  readonly world?: string;
  /** Default: standard output. */
  readonly out?: string;
}

/** @throws {UsageError} if the file cannot be read or has a mistake, or the other one cannot be written. */
export async function types({ file, world, out }: TypesCommand): Promise<void> {
  const text = await generated(file, world);
  if (out === undefined) {
    process.stdout.write(text);
    return;
  }
  try {
    await writeFile(out, text);
  } catch (cause) {
    throw new UsageError(`${out} cannot be written: ${(cause as Error).message}`, { cause });
  }
}

async function generated(path: string, world: string | undefined): Promise<string> {
  try {
    return await componentTypes({ path, ...(world === undefined ? {} : { world }) });
  } catch (cause) {
    throw new UsageError((cause as Error).message, { cause });
  }
}
