/**
 * The note a running demo leaves in its folder, so that the command finds it without flags.
 *
 * @module
 */
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ConfigSource } from "./config.ts";

/** Of this workspace: two checkouts do not find each other's demo. */
const cache = fileURLToPath(new URL("../../../.cache/", import.meta.url));
const folderPattern = /^demo-(\d+)$/;
const noteName = "demo.json";

/** Where a demo keeps everything of its own while it runs. */
export function demoFolder(pid: number): string {
  return join(cache, `demo-${pid}`);
}

/** Says where the demo's cluster is. The note goes with the folder. */
export async function writeDemoNote(pid: number, note: ConfigSource): Promise<void> {
  await writeFile(join(demoFolder(pid), noteName), JSON.stringify(note));
}

/** Where the running demo is, the youngest if there are several; nothing if none runs. */
export async function findDemo(): Promise<ConfigSource> {
  const found = await Promise.all((await runningDemos()).map(readNote));
  const notes = found.filter((note) => note !== undefined);
  notes.sort((a, b) => b.writtenMs - a.writtenMs);
  return notes[0]?.note ?? {};
}

async function runningDemos(): Promise<number[]> {
  try {
    const names = await readdir(cache);
    return names.map((name) => Number(folderPattern.exec(name)?.[1])).filter(isRunning);
  } catch {
    return []; // No demo has run here: there is no such folder.
  }
}

async function readNote(
  pid: number,
): Promise<{ readonly note: ConfigSource; readonly writtenMs: number } | undefined> {
  const path = join(demoFolder(pid), noteName);
  try {
    const note = JSON.parse(await readFile(path, "utf8")) as ConfigSource;
    return { note, writtenMs: (await stat(path)).mtimeMs };
  } catch {
    return undefined; // It is starting, or ending, just now.
  }
}

function isRunning(pid: number): boolean {
  if (Number.isNaN(pid)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === "EPERM";
  }
}
