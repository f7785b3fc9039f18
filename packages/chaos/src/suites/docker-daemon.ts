/**
 * The Docker daemon that the suite works with: the machine's own if one runs, else one that is started for it.
 *
 * One that is started keeps its files, its socket and its network apart from everything else, and leaves nothing behind.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Cleanup } from "./cleanup.ts";
import { CommandError, run, runNow } from "./command.ts";
import { NetworkLab } from "./network-lab.ts";

const usualSocket = "/var/run/docker.sock";
const startTimeoutMs = 30_000;
const stopTimeoutMs = 20_000;
const pollMs = 100;

export interface DockerDaemon {
  readonly socket: string;
  /** Where published ports are found. */
  readonly address: string;
}

/** `folder`: for a daemon of its own. */
export async function dockerDaemon(cleanup: Cleanup, folder: string): Promise<DockerDaemon> {
  if (existsSync(usualSocket) && (await answers(usualSocket)))
    return { socket: usualSocket, address: "127.0.0.1" };
  return startDaemon(cleanup, folder);
}

async function answers(socket: string): Promise<boolean> {
  try {
    await run("docker", ["-H", `unix://${socket}`, "version"]);
    return true;
  } catch (thrown) {
    if (thrown instanceof CommandError) return false;
    throw thrown;
  }
}

async function startDaemon(cleanup: Cleanup, folder: string): Promise<DockerDaemon> {
  mkdirSync(folder, { recursive: true });
  cleanup.add(() => removeFiles(folder));
  const lab = await NetworkLab.create({ cleanup, folder });
  const { enter, address } = await lab.addMachine("docker");
  const socket = join(folder, "docker.sock");
  const [program, ...args] = [
    ...enter,
    "dockerd",
    `--data-root=${join(folder, "data")}`,
    `--exec-root=${join(folder, "exec")}`,
    `--pidfile=${join(folder, "docker.pid")}`,
    `--host=unix://${socket}`,
  ];
  const log = openSync(join(folder, "dockerd.log"), "a");
  const child = spawn(program, args, { stdio: ["ignore", log, log] });
  closeSync(log);
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  cleanup.add(async () => {
    child.kill("SIGTERM");
    const inTime = await Promise.race([ended, wait(stopTimeoutMs, "late", { ref: false })]);
    if (inTime === "late") child.kill("SIGKILL");
    await ended;
  });
  for (let waitedMs = 0; waitedMs < startTimeoutMs; waitedMs += pollMs) {
    if (child.exitCode !== null) break;
    if (existsSync(socket) && (await answers(socket))) return { socket, address };
    await wait(pollMs);
  }
  const tail = readFileSync(join(folder, "dockerd.log"), "utf8").trim().split("\n").at(-1);
  throw new Error(`dockerd did not start: ${tail}`);
}

/** What the daemon left mounted would be in the way. */
async function removeFiles(folder: string): Promise<void> {
  const mounts = readFileSync("/proc/mounts", "utf8").split("\n");
  const below = mounts
    .map((line) => line.split(" ")[1])
    .filter((path) => path?.startsWith(`${folder}/`) === true);
  for (const path of below.toReversed()) runNow("umount", ["-l", path!]);
  await rm(folder, { recursive: true, force: true });
}
