/**
 * Monitors of every named process, from every node: each is to fire exactly once.
 *
 * @module
 */
import type { Pid } from "@coppice/kernel";
import { counters } from "./names.ts";
import type { Workload, WorkloadContext } from "./workload.ts";

/** How often it is looked who has a name now, in milliseconds. */
const lookEveryMs = 100;
/** One look in so many ends a monitor before it has fired. */
const demonitorEvery = 50;

interface Watched {
  readonly ref: string;
  readonly target: Pid;
  readonly stop: () => void;
}

export function monitorsWorkload({ node, log, random, life }: WorkloadContext): Workload {
  const watcher = `${life}/monitors`;
  const watched = new Map<string, Watched>();
  let [refs, turn] = [0, 0];
  let timer: NodeJS.Timeout | undefined;

  const watch = (name: string, target: Pid): void => {
    refs += 1;
    const ref = `${watcher}/${refs}`;
    log.record({ type: "monitor", ref, watcher, target: target.toString() });
    const stop = node.kernel.monitor(target, (reason) => {
      log.record({ type: "down", ref, watcher, reason: reason.type });
      watched.delete(name);
    });
    watched.set(name, { ref, target, stop });
  };
  const unwatch = (name: string): void => {
    const found = watched.get(name);
    if (found === undefined) return;
    watched.delete(name);
    found.stop();
    const { ref, target } = found;
    log.record({ type: "demonitor", ref, watcher, target: target.toString() });
  };
  const look = (): void => {
    turn += 1;
    for (const name of counters) {
      const pid = watched.has(name) ? undefined : node.whereis(name);
      if (pid !== undefined) watch(name, pid);
    }
    if (turn % demonitorEvery === 0) unwatch(counters[random.u32() % counters.length]!);
  };
  return {
    start: () => {
      timer = setInterval(look, lookEveryMs);
    },
    stop: () => clearInterval(timer),
  };
}
