/**
 * Starting a supervisor: on its own, or as a child of another.
 *
 * @module
 */
import type { Kernel, SpawnOptions, StartResult } from "@coppice/kernel";
import type { ChildEnvironment, ChildSpec } from "./child-spec.ts";
import { supervisorOptions } from "./management-request.ts";
import { localNames } from "./names.ts";
import { checkIntensity, restartIntensityDefault } from "./restart-intensity.ts";
import { type SupervisorOptions, SupervisorProcess } from "./supervisor.ts";

const strategies: ReadonlySet<unknown> = new Set(["one_for_one", "one_for_all", "rest_for_one"]);
const autoShutdowns: ReadonlySet<unknown> = new Set([
  "never",
  "any_significant",
  "all_significant",
]);

/**
 * Starts a supervisor with its children, and waits until all of them run. A child that does not start, or a name that is
 * taken, is a value: `failed`. What can be seen to be wrong before anything starts rejects:
 *
 * @throws {RangeError} if the strategy, the intensity or the auto-shutdown makes no sense.
 * @throws {ChildSpecError} if a child's specification cannot be used, or two have one id.
 */
export async function startSupervisor(
  kernel: Kernel,
  options: SupervisorOptions,
  spawnOptions: SpawnOptions = {},
  environment: ChildEnvironment = { kernel, names: localNames },
): Promise<StartResult> {
  const {
    maxRestarts = restartIntensityDefault.maxRestarts,
    maxSeconds = restartIntensityDefault.maxSeconds,
  } = options;
  if (!strategies.has(options.strategy))
    throw new RangeError(
      `strategy must be one_for_one, one_for_all or rest_for_one, not ${options.strategy}`,
    );
  if (!autoShutdowns.has(options.autoShutdown ?? "never"))
    throw new RangeError(
      `autoShutdown must be never, any_significant or all_significant, not ${options.autoShutdown}`,
    );
  checkIntensity({ maxRestarts, maxSeconds });
  const process = new SupervisorProcess(options, { maxRestarts, maxSeconds }, environment);
  return kernel.start(process, { ...supervisorOptions, ...spawnOptions, trapExit: true });
}

/** A supervisor as a child of another. */
export function supervisor(spec: Omit<ChildSpec, "start" | "type"> & SupervisorOptions): ChildSpec {
  const { strategy, children, maxRestarts, maxSeconds, autoShutdown, ...child } = spec;
  const options: SupervisorOptions = {
    strategy,
    children,
    ...(maxRestarts === undefined ? {} : { maxRestarts }),
    ...(maxSeconds === undefined ? {} : { maxSeconds }),
    ...(autoShutdown === undefined ? {} : { autoShutdown }),
  };
  return {
    ...child,
    type: "supervisor",
    start: (spawnOptions, environment) =>
      startSupervisor(environment.kernel, options, spawnOptions, environment),
  };
}
