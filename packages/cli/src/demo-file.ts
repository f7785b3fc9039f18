/**
 * The note a running demo leaves, so that the command finds it without flags.
 *
 * @module
 */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { ConfigSource } from "./config.ts";

/** In the workspace, so that two checkouts do not find each other's demo. */
const path = fileURLToPath(new URL("../../../.cache/demo.json", import.meta.url));

interface DemoNote {
  readonly pid: number;
  readonly servers: readonly string[];
  readonly cluster: string;
}

export async function writeDemoNote(note: DemoNote): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, JSON.stringify(note));
}

/** Removes the note, unless another demo wrote its own since. */
export async function removeDemoNote(pid: number): Promise<void> {
  if ((await readNote())?.pid === pid) await rm(path, { force: true });
}

/** Where the running demo is; nothing if none runs. */
export async function findDemo(): Promise<ConfigSource> {
  const note = await readNote();
  if (note === undefined || !isRunning(note.pid)) return {};
  return { servers: note.servers, cluster: note.cluster };
}

async function readNote(): Promise<DemoNote | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as DemoNote;
  } catch {
    return undefined; // No demo has run here, or one is writing its note just now.
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === "EPERM";
  }
}
