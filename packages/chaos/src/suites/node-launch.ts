/**
 * One life of a node of a suite, however it was started.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type ChaosNodeOptions, nodeArguments } from "../real/node-options.ts";

export const nodeProgram = fileURLToPath(new URL("../real/chaos-node.ts", import.meta.url));

export interface NodeLife {
  /** It has joined and its children run. */
  readonly ready: Promise<void>;
  /** How it ended: a status or a signal. */
  readonly ended: Promise<string>;
  /** Asks it to drain and stop. */
  readonly stop: () => void | Promise<void>;
  readonly kill: () => void | Promise<void>;
}

export type LaunchNode = (options: ChaosNodeOptions) => NodeLife | Promise<NodeLife>;

/** A node as a process of this machine. */
export interface ProcessLaunch {
  /** What goes before the command. Default: nothing. */
  readonly enter?: readonly string[];
  /** Further arguments of Node itself. Default: none. */
  readonly nodeArgs?: readonly string[];
  /** Added to the environment. Default: nothing. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Where its stderr is appended to. */
  readonly log: string;
}

/** Its pid is that of the node itself: what goes before the command is expected to become it. */
export function launchProcess(
  options: ChaosNodeOptions,
  launch: ProcessLaunch,
): NodeLife & { readonly pid: number; readonly signal: (signal: NodeJS.Signals) => void } {
  const { enter = [], nodeArgs = [], environment = {}, log } = launch;
  const command = [...enter, process.execPath, ...nodeArgs, nodeProgram, ...nodeArguments(options)];
  const file = openSync(log, "a");
  const child = spawn(command[0]!, command.slice(1), {
    stdio: ["ignore", "pipe", file],
    env: { ...process.env, ...environment },
  });
  closeSync(file);
  const ended = new Promise<string>((resolve) => {
    child.once("exit", (status, signal) => resolve(`${signal ?? status}`));
    child.once("error", (error) => resolve(error.message));
  });
  const ready = new Promise<void>((resolve) => {
    createInterface({ input: child.stdout! }).once("line", () => resolve());
  });
  const signal = (which: NodeJS.Signals): void => void child.kill(which);
  return {
    ready,
    ended,
    stop: () => signal("SIGTERM"),
    kill: () => signal("SIGKILL"),
    pid: child.pid!,
    signal,
  };
}
