/**
 * Where the components of a node run: on its own thread, or on threads beside it.
 *
 * @module
 */
import { type Kernel, shutdown, type StartResult } from "@coppice/kernel";
import type { ChildSpec } from "@coppice/otp";
import type { CompiledComponent } from "../compile.ts";
import type { HostImports } from "../host-imports.ts";
import { type Instance, instantiate } from "../instance.ts";
import { PlacementError, TooManyInstancesError } from "./errors.ts";
import type { RemoteOptions } from "./remote-instance.ts";
import { instancesMaxDefault, Scheduler } from "./scheduler.ts";
import { type PoolOptions, SchedulerPool } from "./scheduler-pool.ts";
import { staysBecause } from "./thread-imports.ts";

/** Where a component runs: on a thread beside the node's if it has any, or always on the node's own. */
export type Placement = "pool" | "node";

/** Threads to run components on. */
export interface ComponentSchedulersSpec
  extends Omit<ChildSpec, "start" | "type" | "prepare">, PoolOptions {}

/**
 * A pool of scheduler threads as a child: components started after it on this node run there and no longer on the threads
 * that the node has by itself. When it ends, its threads end, and with them the components on them. A thread that dies is
 * a crash of the components on it; the pool starts another.
 *
 * @throws {RangeError} if `threads` is not a whole number, 1 or more.
 */
export function componentSchedulers(spec: ComponentSchedulersSpec): ChildSpec {
  const { threads, heapMiBMax, ...child } = spec;
  if (!Number.isInteger(threads) || threads < 1)
    throw new RangeError(`threads must be a whole number, 1 or more, not ${threads}`);
  const size = { threads, ...(heapMiBMax === undefined ? {} : { heapMiBMax }) };
  return {
    ...child,
    start: (options, { kernel }) =>
      kernel.start(new SchedulerPool(size, attached), { kind, ...options }),
  };
}

const kind = "component-schedulers";

/** What a node runs components with. */
interface OfNode {
  readonly scheduler: Scheduler;
  /** Those that run, in the order in which they began. */
  readonly pools: Set<SchedulerPool>;
  /** How many threads the node has where there is no pool by hand; 0 for none. */
  threads: number;
  /** The start of the pool with those, until it has ended. */
  own: Promise<StartResult> | undefined;
}

const ofNodes = new WeakMap<Kernel, OfNode>();

function ofNode(kernel: Kernel): OfNode {
  let found = ofNodes.get(kernel);
  if (found === undefined) {
    const scheduler = new Scheduler({ clock: kernel.clock });
    found = { scheduler, pools: new Set(), threads: 0, own: undefined };
    ofNodes.set(kernel, found);
  }
  return found;
}

function attached(kernel: Kernel, pool: SchedulerPool): () => void {
  const { pools } = ofNode(kernel);
  pools.add(pool);
  return () => pools.delete(pool);
}

/**
 * Gives a node threads for its components. They are started with the first component, unless a pool by hand runs by then,
 * and do not keep the program running. Returns what ends them: for when the node stops.
 */
export function useComponentThreads(kernel: Kernel, threads: number): () => Promise<void> {
  const node = ofNode(kernel);
  node.threads = threads;
  return async () => {
    node.threads = 0;
    const started = await node.own;
    if (started?.type === "started") kernel.exit(started.pid, shutdown);
  };
}

/** The pool that components of this node are to run on; undefined for the node's own thread. */
async function poolOf(kernel: Kernel): Promise<SchedulerPool | undefined> {
  const node = ofNode(kernel);
  if (node.pools.size === 0 && node.threads > 0) {
    node.own ??= startOwn(kernel, node);
    await node.own;
  }
  return [...node.pools].at(-1); // One by hand began later.
}

async function startOwn(kernel: Kernel, node: OfNode): Promise<StartResult> {
  const pool = new SchedulerPool({ threads: node.threads }, attached);
  const started = await kernel.start(pool, { kind, label: kind });
  const forget = (): void => {
    node.own = undefined; // The next component starts another.
  };
  if (started.type === "started") kernel.monitor(started.pid, forget);
  else forget();
  return started;
}

/** Lets a thread of the node, if it has any, know a component before it is started. */
export async function prepareInstance(
  kernel: Kernel,
  compiled: CompiledComponent,
  {
    placement,
    imports,
  }: { readonly placement: Placement | undefined; readonly imports: HostImports },
): Promise<void> {
  if (placement === "node" || staysBecause(compiled.world, imports) !== undefined) return;
  (await poolOf(kernel))?.prepare(compiled);
}

/**
 * Makes an instance where it belongs.
 *
 * @throws {PlacementError} if it has to run on a thread, and cannot.
 * @throws {TooManyInstancesError} if as many live on the node's threads together as may on one.
 * @throws what `instantiate` throws.
 */
export async function openInstance(
  kernel: Kernel,
  compiled: CompiledComponent,
  { placement, ...options }: RemoteOptions & { readonly placement: Placement | undefined },
): Promise<Instance> {
  const { scheduler, pools } = ofNode(kernel);
  const instances = [...pools].reduce((sum, each) => sum + each.instances, scheduler.instances);
  // Threads share the address space of their process.
  if (instances >= instancesMaxDefault) throw new TooManyInstancesError(instancesMaxDefault);
  const pool = placement === "node" ? undefined : await poolOf(kernel);
  const why = pool && staysBecause(compiled.world, options.imports);
  if (pool !== undefined && why === undefined) return pool.open(compiled, options);
  if (why !== undefined && placement === "pool") throw new PlacementError(compiled.source, why);
  return instantiate(compiled, { ...options, scheduler });
}
