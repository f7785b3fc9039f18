/**
 * The command that runs a node: an application's module, supervised, until a signal.
 *
 * @module
 */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type ClusterNode, NodeDeposedError } from "@coppice/cluster";
import type { AppContext, Application } from "../application.ts";
import type { Config } from "../config.ts";
import { UsageError } from "../exit-codes.ts";
import { createLogger } from "../logging.ts";
import { type StartOptions, startNode } from "../start-node.ts";

/** How to start. */
export interface StartCommand {
  /** The application's module: its default export is an {@link Application}. */
  readonly module: string;
  readonly name: string;
  /** For the application. */
  readonly settings: Readonly<Record<string, string>>;
  /** What the node is, for the cluster: see `StartOptions`. */
  readonly node: Pick<StartOptions, "labels" | "weight" | "replicas">;
  /** Stop when stdin ends: whoever started this node is gone. */
  readonly untilStdinEnds: boolean;
}

/** How long a stop, with the drain before it, may take before the process ends anyway, in milliseconds. */
const stopTimeoutMs = 30_000;

/**
 * Runs until SIGTERM, SIGINT, or the end of stdin; then hands its names over, and stops. When others took over because the
 * node was frozen, another starts in its place, and the application is asked again.
 */
export async function start(config: Config, command: StartCommand): Promise<void> {
  const { settings } = command;
  const application = await loadApplication(command.module);
  const ended = endOfRun(command.untilStdinEnds);
  let registryRevision = 0;
  try {
    while (true) {
      const run = { application, settings, ended, registryRevision };
      const { node, isDeposed } = await runNode(config, command, run);
      if (!isDeposed) return;
      registryRevision = node.registryRevision;
    }
  } finally {
    process.stdin.destroy(); // Listening to it would keep this process alive.
  }
}

interface Run {
  readonly application: Application;
  readonly settings: Readonly<Record<string, string>>;
  /** Somebody wants this process to end. */
  readonly ended: Promise<void>;
  /** What the life before has seen of the store. */
  readonly registryRevision: number;
}

/** One life of the node. */
async function runNode(
  config: Config,
  command: StartCommand,
  { application, settings, ended, registryRevision }: Run,
): Promise<{ readonly node: ClusterNode; readonly isDeposed: boolean }> {
  const { servers, cluster, access } = config;
  const logger = createLogger(command.name);
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {}); // It may come before anybody waits for it, and is not lost then.
  const onFailure = (error: Error): void => failed.reject(error);
  const where = { name: command.name, cluster, servers, logger, onFailure };
  const options = { ...access, ...command.node, ...where };
  const node = await startNode({ ...options, registryRevision });
  const announce: AppContext["announce"] = (fields) => {
    process.stdout.write(`${JSON.stringify(fields)}\n`);
  };
  let isDeposed = false;
  try {
    await node.start(await application({ node, settings, announce }));
    announce({ event: "ready", node: node.name, incarnation: node.address.incarnation });
    await Promise.race([ended, failed.promise]);
    return { node, isDeposed };
  } catch (thrown) {
    isDeposed = thrown instanceof NodeDeposedError;
    if (isDeposed) return { node, isDeposed };
    throw thrown;
  } finally {
    if (!isDeposed) setTimeout(() => process.exit(1), stopTimeoutMs).unref();
    await node.stop();
  }
}

async function loadApplication(path: string): Promise<Application> {
  let loaded: { readonly default?: unknown };
  try {
    loaded = (await import(pathToFileURL(resolve(path)).href)) as { readonly default?: unknown };
  } catch (cause) {
    throw new UsageError(`${path} cannot be loaded: ${(cause as Error).message}`, { cause });
  }
  if (typeof loaded.default !== "function")
    throw new UsageError(`${path} has no default export that is a function: export an Application`);
  return loaded.default as Application;
}

function endOfRun(untilStdinEnds: boolean): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const)
      process.once(signal, () => resolve());
    if (!untilStdinEnds) return;
    process.stdin.once("end", resolve);
    process.stdin.once("error", resolve);
    process.stdin.resume();
  });
}
