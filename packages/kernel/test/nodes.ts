/**
 * Kernels for tests: one, or two joined by a wire that a test can cut.
 *
 * @module
 */
import {
  type Behaviour,
  type Incoming,
  Kernel,
  type Logger,
  type Pid,
  seededRandom,
  Self,
  type Signal,
  type SpawnOptions,
  systemClock,
} from "@coppice/kernel";

/** A logger that keeps the events it was given. */
export function eventLogger(): Logger & { readonly events: string[] } {
  const events: string[] = [];
  const keep = (fields: object): void => {
    events.push(String((fields as { event?: unknown }).event));
  };
  return { events, debug: keep, info: keep, warn: keep, error: keep };
}

export function kernelOf(node: string, logger = eventLogger(), clock = systemClock): Kernel {
  return new Kernel({
    node,
    incarnation: "1",
    clock,
    random: seededRandom(1),
    logger,
  });
}

/** Two nodes. `cut` loses everything from then on and tells both that the other is gone. */
export function pairOfKernels(): { a: Kernel; b: Kernel; cut: () => void } {
  const a = kernelOf("a");
  const b = kernelOf("b");
  let up = true;
  const wire = (to: Kernel) => ({
    deliver: (signal: Signal): boolean => {
      if (!up || signal.to.node !== to.address.node) return false;
      if (signal.to.incarnation !== to.address.incarnation) return false;
      queueMicrotask(() => to.receive(signal));
      return true;
    },
    incarnationOf: (node: string) =>
      up && node === to.address.node ? to.address.incarnation : undefined,
  });
  a.connect(wire(b));
  b.connect(wire(a));
  const cut = (): void => {
    up = false;
    a.nodeDown(b.address);
    b.nodeDown(a.address);
  };
  return { a, b, cut };
}

/** Answers `echo`, throws on `fail`, never answers `hang`, keeps infos, downs and exits in `seen`. */
export function recorder(): Behaviour & { readonly seen: unknown[]; next: () => Promise<unknown> } {
  const seen: unknown[] = [];
  let wake = Promise.withResolvers<unknown>();
  return {
    seen,
    next: () => wake.promise,
    handle: (message) => {
      if (message.type === "call" && message.method === "echo")
        return message.reply({ ok: true, value: message.args });
      if (message.type === "call" && message.method === "hang") return new Promise(() => {});
      if (message.type === "call" || message.type === "cast") throw new Error(message.method);
      seen.push(message.type === "info" ? message.message : message);
      wake.resolve(seen.at(-1));
      wake = Promise.withResolvers();
      return undefined;
    },
  };
}

/** The reason a process ends with. */
export function endOf(kernel: Kernel, pid: Parameters<Kernel["exit"]>[0]): Promise<unknown> {
  return new Promise((resolve) => {
    kernel.monitor(pid, resolve);
  });
}

/** A process that does what it is told: `run` gets its `Self`, and its messages are kept. */
export function puppet(
  kernel: Kernel,
  options: SpawnOptions = {},
): {
  readonly pid: Pid;
  readonly self: Self;
  readonly inbox: Incoming[];
  /** The next message that is not in `inbox` yet. */
  readonly next: () => Promise<Incoming>;
} {
  const inbox: Incoming[] = [];
  const waiting: ((message: Incoming) => void)[] = [];
  let read = 0;
  const pid = kernel.spawn(
    {
      handle: (message) => {
        inbox.push(message);
        if (waiting.length === 0) return;
        read += 1;
        waiting.shift()!(message);
      },
    },
    options,
  );
  const self = new Self(kernel, pid);
  const next = (): Promise<Incoming> => {
    if (read < inbox.length) {
      read += 1;
      return Promise.resolve(inbox[read - 1]!);
    }
    return new Promise((resolve) => waiting.push(resolve));
  };
  return { pid, self, inbox, next };
}

/** Resolves when every message sent so far has been handled. */
export async function settled(kernel: Kernel): Promise<void> {
  const marker = kernel.spawn((self) => void self);
  await endOf(kernel, marker);
  await new Promise((resolve) => setImmediate(resolve));
}

/** Everything that tests count: all must be 0 when nothing is left. */
export function leftovers(kernel: Kernel): Readonly<Record<string, number>> {
  return { processes: kernel.processCount, ...kernel.pending };
}
