/**
 * Instances of the WASI guests for tests, with what they write and what they leave open.
 *
 * @module
 */
import { readdirSync, readlinkSync } from "node:fs";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type CompiledComponent,
  component,
  type ComponentInstance,
  type ComponentSpec,
  instantiate,
  type InstanceOptions,
} from "@coppice/component";
import { type Clock, type Kernel, systemClock } from "@coppice/kernel";
import { startSupervisor } from "@coppice/otp";
import { expect } from "vitest";
import { cacheDir } from "./chat-room.ts";
import { newKernel } from "./kernel.ts";

/** An instance under test. */
export interface Guest extends AsyncDisposable {
  readonly instance: ComponentInstance;
  readonly lines: string[];
  /** One command of the guest's own little language. */
  readonly run: (command: string) => Promise<string>;
  /** Timers that were started and are neither over nor cancelled. */
  readonly timers: () => number;
  /** Ends the instance and waits until everything is closed. */
  readonly end: () => Promise<void>;
}

export async function openGuest(
  compiled: CompiledComponent,
  options: Partial<InstanceOptions> = {},
): Promise<Guest> {
  const lines: string[] = [];
  const { clock, timers } = countingClock(options.clock ?? systemClock);
  const instance = await instantiate(compiled, {
    imports: {},
    onOutput: (stream, line) => lines.push(`${stream}: ${line}`),
    ...options,
    clock,
  });
  const end = async (): Promise<void> => {
    instance.die(new Error("the test is over"));
    await instance.released();
  };
  return {
    instance,
    lines,
    timers,
    end,
    run: async (command) => (await instance.call("run", [command])) as string,
    [Symbol.asyncDispose]: end,
  };
}

/** A kernel on which a guest runs as the process `guest`, which is not started again. */
export async function startGuestProcess(
  path: string,
  options: Pick<ComponentSpec, "wasi"> = {},
): Promise<Kernel> {
  const kernel = newKernel();
  const guest = { id: "guest", name: "guest", restart: "temporary", path, cacheDir } as const;
  const children = [component({ ...guest, ...options })];
  await startSupervisor(kernel, { strategy: "one_for_one", children });
  return kernel;
}

/** Waits, on however busy a machine, until what `look` returns matches. */
export function eventually<T>(look: () => T) {
  return expect.poll(look, { timeout: 20_000 });
}

/** Files and directories below `folder` that this process has open. */
export function openBelow(folder: string): string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(folder) ? [path] : [];
    } catch {
      return []; // The one that listed this directory.
    }
  });
}

/** A folder that is removed at the end. */
export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await realpath(await mkdtemp(join(tmpdir(), "coppice-wasi-")));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

function countingClock(inner: Clock): { readonly clock: Clock; readonly timers: () => number } {
  const pending = new Set<object>();
  const after: Clock["after"] = (ms, run) => {
    const timer = {};
    pending.add(timer);
    const cancel = inner.after(ms, () => {
      pending.delete(timer);
      run();
    });
    return () => {
      pending.delete(timer);
      cancel();
    };
  };
  return { clock: { ...inner, after }, timers: () => pending.size };
}
