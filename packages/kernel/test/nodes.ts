/**
 * Kernels for tests: one, or two joined by a wire that a test can cut.
 *
 * @module
 */
import {
  type Behaviour,
  Kernel,
  type Logger,
  seededRandom,
  type Signal,
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

export function kernelOf(node: string, logger = eventLogger()): Kernel {
  return new Kernel({
    node,
    incarnation: "1",
    clock: systemClock,
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
      if (up) queueMicrotask(() => to.receive(signal));
      return up;
    },
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
