/**
 * A kernel that counts what it is asked to watch and to link, and processes whose code the test writes.
 *
 * @module
 */
import {
  type ExitReason,
  type Incoming,
  Kernel,
  type Pid,
  seededRandom,
  type Self,
  silentLogger,
  type SpawnOptions,
} from "@coppice/kernel";
import { simulatedClock } from "@coppice/testkit";

/** Counts the watchers that have neither fired nor been stopped, and the links that stand. */
class CountingKernel extends Kernel {
  readonly #watching = new Set<object>();
  readonly #links = new Map<string, readonly [Pid, Pid]>();

  get watching(): number {
    return this.#watching.size;
  }

  get links(): number {
    return [...this.#links.values()].filter((pair) => pair.every((pid) => this.isAlive(pid)))
      .length;
  }

  override monitor(...[target, watcher]: Parameters<Kernel["monitor"]>): () => void {
    const watch = {};
    this.#watching.add(watch);
    const stop = super.monitor(target, (reason, pid) => {
      this.#watching.delete(watch);
      watcher(reason, pid);
    });
    return () => {
      this.#watching.delete(watch);
      stop();
    };
  }

  override link(a: Pid, b: Pid): void {
    this.#links.set(pairOf(a, b), [a, b]);
    super.link(a, b);
  }

  override unlink(a: Pid, b: Pid): void {
    this.#links.delete(pairOf(a, b));
    super.unlink(a, b);
  }
}

function pairOf(a: Pid, b: Pid): string {
  return a.serial < b.serial ? `${a} ${b}` : `${b} ${a}`;
}

/** A kernel on a simulated clock. */
export function countingKernel() {
  const clock = simulatedClock();
  const random = seededRandom(1);
  return {
    clock,
    kernel: new CountingKernel({
      node: "a",
      incarnation: "1",
      clock,
      random,
      logger: silentLogger,
    }),
  };
}

/** Runs code as a process, which then waits for messages. What the code throws ends it. */
export function within<T>(
  kernel: Kernel,
  code: (self: Self) => T | Promise<T>,
  options: SpawnOptions = {},
) {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const inbox: Incoming[] = [];
  let me: Self | undefined;
  const pid = kernel.spawn(
    {
      start: async (self) => {
        me = self;
        try {
          resolve(await code(self));
        } catch (thrown) {
          reject(thrown);
          throw thrown;
        }
      },
      handle: (message) => void inbox.push(message),
    },
    options,
  );
  promise.catch(() => {}); // Tests that look at the end of the process do not look at this.
  return { pid, inbox, result: promise, self: () => me! };
}

/** The reason a process ends with. */
export function endOf(kernel: Kernel, pid: Pid): Promise<ExitReason> {
  return new Promise((resolve) => {
    kernel.monitor(pid, resolve);
  });
}
