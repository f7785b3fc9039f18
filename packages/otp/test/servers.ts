/**
 * Gen-servers for tests: on a kernel that keeps its log, with a clock that can stand still.
 *
 * @module
 */
import {
  type Clock,
  type ExitReason,
  Kernel,
  type LogFields,
  type Pid,
  seededRandom,
  type SpawnOptions,
  systemClock,
} from "@coppice/kernel";
import { type GenServer, ServerRef, startGenServer } from "@coppice/otp";

/** A kernel, and the warnings and errors it logged. */
export function reportingKernel(clock: Clock = systemClock): {
  readonly kernel: Kernel;
  readonly reports: LogFields[];
} {
  const reports: LogFields[] = [];
  const keep = (fields: LogFields): void => void reports.push(fields);
  const logger = { debug: () => {}, info: () => {}, warn: keep, error: keep };
  const random = seededRandom(1);
  return { kernel: new Kernel({ node: "a", incarnation: "1", clock, random, logger }), reports };
}

/** Starts a server that must start. */
export async function startedServer<S extends GenServer>(
  kernel: Kernel,
  server: S,
  options: SpawnOptions = {},
): Promise<{ readonly pid: Pid; readonly server: S; readonly ref: ServerRef<S> }> {
  const result = await startGenServer(kernel, server, options);
  if (result.type !== "started") throw new Error(JSON.stringify(result));
  return { pid: result.pid, server, ref: new ServerRef<S>(kernel, result.pid) };
}

export function endOf(kernel: Kernel, pid: Pid): Promise<ExitReason> {
  return new Promise((resolve) => {
    kernel.monitor(pid, resolve);
  });
}
