/**
 * Via-names: a key of a registry used where a process is named (D1.7).
 *
 * A via-name is resolved each time it is used (A5.3), so a process that was restarted under it is found. Only unique keys
 * can be names.
 *
 * @module
 */
import {
  type Behaviour,
  CallError,
  type CallOptions,
  type Kernel,
  kill,
  Pid,
  type SpawnOptions,
  type StartResult,
} from "@coppice/kernel";
import type { ChildSpec } from "./child-spec.ts";
import { genServer } from "./gen-server-process.ts";
import type { GenServer } from "./gen-server.ts";
import type { Registry } from "./registry.ts";
import { NotRegisteredError } from "./registry-errors.ts";

/** A key of a registry as the name of a process. */
export interface ViaName<K = any, V = any> {
  readonly registry: Registry<K, V, any>;
  readonly key: K;
  /** What it is registered with when a process is started under this name. */
  readonly value?: V;
}

/** All that names a process. */
export type ProcessName = Pid | string | ViaName;

/** The live process of this name. A pid names itself, alive or not. */
export function whereisName(kernel: Kernel, name: ProcessName): Pid | undefined {
  if (name instanceof Pid) return name;
  return typeof name === "string" ? kernel.whereis(name) : name.registry.whereis(name.key);
}

/**
 * Sends a plain message, as {@link Kernel.send}.
 *
 * @throws {NotRegisteredError} if nobody holds a local name or a via-name: A5.2, where a dead pid is not an error.
 */
export function sendName(kernel: Kernel, name: ProcessName, message: unknown): void {
  const pid = whereisName(kernel, name);
  if (pid === undefined)
    throw new NotRegisteredError(`cannot send to ${describe(name)}: no process has this name`);
  kernel.send(pid, message);
}

/** Casts, as {@link Kernel.cast}: a name that nobody holds is not an error. */
export function castName(
  kernel: Kernel,
  name: ProcessName,
  method: string,
  args: readonly unknown[],
): void {
  const pid = whereisName(kernel, name);
  if (pid !== undefined) kernel.cast(pid, method, args);
}

/** Calls, as {@link Kernel.call}. @throws {CallError} with `noproc` if nobody holds the name. */
export async function callName(
  kernel: Kernel,
  name: ProcessName,
  method: string,
  args: readonly unknown[],
  options: CallOptions = {},
): Promise<unknown> {
  const label = options.label ?? describe(name);
  const pid = whereisName(kernel, name);
  if (pid !== undefined) return kernel.call(pid, method, args, { ...options, label });
  const message = `${label}.${method}: no process has this name`;
  throw new CallError({ code: "noproc", executed: "no", message });
}

/** Starts a process under a via-name, which it holds before its own `start` runs. A taken name is a failed start (B1.3). */
export async function startWithName(
  via: ViaName,
  behaviour: Behaviour,
  options: SpawnOptions = {},
): Promise<StartResult> {
  const { registry, key, value } = via;
  const { kernel } = registry;
  const holder = registry.whereis(key);
  if (holder !== undefined) return alreadyStarted(holder);
  const { promise, resolve } = Promise.withResolvers<StartResult>();
  let isStarted = false;
  const pid = kernel.spawn(
    {
      ...bound(behaviour),
      start: async (self) => {
        await behaviour.start?.(self);
        isStarted = true;
        resolve({ type: "started", pid: self.pid });
      },
    },
    { label: describe(via), ...options },
  );
  try {
    registry.register({ pid, kernel }, key, value); // Nothing can have taken the key since the look above.
  } catch (thrown) {
    kernel.exit(pid, kill);
    throw thrown;
  }
  const unwatch = kernel.monitor(pid, (reason) => {
    if (!isStarted)
      resolve(reason.type === "normal" ? { type: "ignored" } : { type: "failed", reason });
  });
  const result = await promise;
  unwatch();
  return result;
}

/** A child under a via-name. */
export interface ViaChildSpec extends Omit<ChildSpec, "name" | "prepare"> {
  readonly via: ViaName;
}

/**
 * A child of a supervisor under a via-name; its registry must run before it. A gen-server holds the name before its `init`
 * runs. A child that a function starts (`functionChild`, `osProcess` and the like) holds it as soon as it is ready.
 */
export function viaChild({ via, ...child }: ViaChildSpec): ChildSpec {
  const { start } = child;
  if (typeof start === "function")
    return {
      ...child,
      start: async (options, environment) =>
        registerStarted(via, () => start(options, environment)),
    };
  const [serverClass, ...args] = start;
  return {
    ...child,
    start: async (options) => {
      const server: GenServer = new serverClass(...args);
      const { trapExit } = serverClass as unknown as typeof GenServer;
      return startWithName(via, genServer(server), { kind: "gen-server", trapExit, ...options });
    },
  };
}

async function registerStarted(
  { registry, key, value }: ViaName,
  start: () => Promise<StartResult>,
): Promise<StartResult> {
  const holder = registry.whereis(key);
  if (holder !== undefined) return alreadyStarted(holder);
  const result = await start();
  if (result.type !== "started") return result;
  const { pid } = result;
  const { kernel } = registry;
  try {
    const registered = registry.register({ pid, kernel }, key, value);
    if (registered.ok || registered.error === "not_alive") return result; // Its supervisor hears of its end.
    kernel.exit(pid, kill); // Another took the name while this one started.
    return alreadyStarted(registered.pid);
  } catch (thrown) {
    kernel.exit(pid, kill);
    throw thrown;
  }
}

function alreadyStarted(pid: Pid): StartResult {
  return { type: "failed", reason: { type: "exit", value: { type: "already_started", pid } } };
}

/** The callbacks of a behaviour that may be a class instance, for a copy of it. */
function bound(behaviour: Behaviour): Behaviour {
  return {
    handle: (message, self) => behaviour.handle(message, self),
    ended: (reason) => behaviour.ended?.(reason),
    describe: () => behaviour.describe?.() ?? {},
  };
}

function describe(name: ProcessName): string {
  if (name instanceof Pid) return name.toString();
  return typeof name === "string" ? name : `${name.registry.name}/${String(name.key)}`;
}
