/**
 * A kernel for tests that keeps its log, and a supervisor on it.
 *
 * @module
 */
import {
  type ExitReason,
  Kernel,
  type LogFields,
  type Pid,
  seededRandom,
  shutdown,
  systemClock,
} from "@coppice/kernel";
import { type ChildRow, type ChildSpec, startSupervisor } from "@coppice/otp";
import { onTestFinished } from "vitest";

export function loggedKernel() {
  const logs: LogFields[] = [];
  const waiting = new Set<() => void>();
  const keep = (fields: LogFields): void => {
    logs.push(fields);
    for (const wake of waiting) wake();
  };
  const logger = { debug: keep, info: keep, warn: keep, error: keep };
  const clock = systemClock;
  const kernel = new Kernel({
    node: "a",
    incarnation: "1",
    clock,
    random: seededRandom(1),
    logger,
  });
  /** The first log event that matches. */
  const logged = (matches: (fields: LogFields) => boolean): Promise<LogFields> =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = logs.find(matches);
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
    });
  return { kernel, logs, logged };
}

/** Runs children under a supervisor until the test ends. */
export async function superviseChildren(...children: ChildSpec[]) {
  const base = loggedKernel();
  const { kernel } = base;
  const result = await startSupervisor(kernel, { strategy: "one_for_one", children });
  if (result.type !== "started") throw new Error(JSON.stringify(result));
  const { pid } = result;
  const rows = async (): Promise<ChildRow[]> =>
    (await kernel.call(pid, "whichChildren", [])) as ChildRow[];
  const stop = (): Promise<ExitReason> =>
    new Promise((resolve) => {
      kernel.monitor(pid, resolve);
      kernel.exit(pid, shutdown);
    });
  onTestFinished(async () => void (await stop()));
  const endOf = (child: Pid): Promise<ExitReason> =>
    new Promise((resolve) => kernel.monitor(child, resolve));
  return { ...base, pid, rows, stop, endOf };
}
