/**
 * Dynamic supervisors for tests, over the traced children of `kernel.ts`.
 *
 * @module
 */
import { type ExitReason, type Pid, shutdown, type SpawnOptions } from "@coppice/kernel";
import {
  type DynamicChildSpec,
  type DynamicSupervisorOptions,
  DynamicSupervisorRef,
  startDynamicSupervisor,
} from "@coppice/otp";
import { fault, settableClock, startedPid, tracedKernel } from "./kernel.ts";

export function dynamicKernel(clock = settableClock()) {
  const base = tracedKernel(clock);
  const { kernel, endOf } = base;
  const dynamic = async (
    options: DynamicSupervisorOptions = {},
    spawnOptions: SpawnOptions = {},
  ) => {
    const pid = startedPid(await startDynamicSupervisor(kernel, options, spawnOptions));
    const ref = new DynamicSupervisorRef(kernel, pid);
    const ended = endOf(pid);
    const stop = (): Promise<ExitReason> => {
      kernel.exit(pid, shutdown);
      return ended;
    };
    return { pid, ref, ended, stop };
  };
  /**
   * Starts a child that once it has crashed is started by `restart`, until `recover`.
   */
  const restartable = async (ref: DynamicSupervisorRef, restart: () => Promise<unknown>) => {
    let fails = false;
    const start: DynamicChildSpec["start"] = (options) =>
      fails
        ? (restart() as ReturnType<typeof kernel.start>)
        : kernel.start({ handle: () => {} }, options);
    const pid: Pid = startedPid((await ref.startChild({ start })) as never);
    const crash = async (): Promise<void> => {
      fails = true;
      const gone = endOf(pid);
      kernel.exit(pid, fault);
      await gone;
    };
    const recover = (): void => {
      fails = false;
    };
    return { pid, crash, recover };
  };
  return { ...base, dynamic, restartable };
}
