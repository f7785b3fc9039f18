/**
 * Runs the example of a module's opening comment, as a program of its own.
 *
 * @module
 */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

/** Resolves when the example has run; rejects with what it printed if it fails. */
export async function runExample(file: string): Promise<void> {
  const text = await readFile(new URL(`../src/${file}`, import.meta.url), "utf8");
  const example = /```ts\n([^]*?) \* ```/.exec(text)?.[1];
  if (example === undefined) throw new Error(`${file} has no example`);
  const code = example.replaceAll(/^ \* ?/gm, "");
  // Run from this package, which may import itself by its name.
  const cwd = new URL("..", import.meta.url);
  await promisify(execFile)("node", ["--input-type=module-typescript", "--eval", code], { cwd });
}
