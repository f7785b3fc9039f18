/**
 * A registry that runs, for tests of its parts.
 *
 * @module
 */
import type { Behaviour, ExitReason, Incoming, Kernel, Pid, SpawnOptions } from "@coppice/kernel";
import { Registry, type RegistryOptions } from "@coppice/otp";
import { expect, onTestFinished } from "vitest";
import { countingKernel, endOf } from "./counting-kernel.ts";

export const fault: ExitReason = { type: "exit", value: "fault" };

/** A process that does nothing but keep what it gets. */
export function idle(kernel: Kernel, options: SpawnOptions = {}) {
  const inbox: Incoming[] = [];
  const behaviour: Behaviour = {
    handle: (message) => {
      inbox.push(message);
      if (message.type === "call") message.reply({ ok: true, value: message.method });
    },
  };
  const pid = kernel.spawn(behaviour, options);
  return { pid, kernel, inbox };
}

/** A registry that runs, and idle processes beside it. At the end of the test nothing may be left of either. */
export async function registry<K = unknown, V = unknown>(
  options: Partial<RegistryOptions<Record<string, unknown>>> = {},
) {
  const { kernel, clock } = countingKernel();
  const names = new Registry<K, V>(kernel, { name: "names", keys: "unique", ...options });
  const start = async (): Promise<Pid> => {
    const result = await names.start();
    if (result.type !== "started") throw new Error(JSON.stringify(result));
    return result.pid;
  };
  const pid = await start();
  const owner = () => idle(kernel);
  const end = (of: { readonly pid: Pid }): Promise<ExitReason> => {
    const ended = endOf(kernel, of.pid);
    kernel.exit(of.pid, fault);
    return ended;
  };
  onTestFinished(async () => {
    for (const { pid } of kernel.processes()) kernel.exit(pid, { type: "kill" });
    expect(kernel.processes()).toEqual([]);
    expect({ watching: kernel.watching, links: kernel.links }).toEqual({ watching: 0, links: 0 });
    await clock.advance(20); // The deadlines of calls share a timer.
    expect(clock.pending()).toBe(0);
  });
  return { kernel, clock, names, start, pid, owner, end };
}
