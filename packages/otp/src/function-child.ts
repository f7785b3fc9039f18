/**
 * A plain async function as a child: it runs until it returns, throws, or is asked to stop.
 *
 * @module
 */
import { type Behaviour, type Incoming, normal, type Self } from "@coppice/kernel";
import type { ChildSpec } from "./child-spec.ts";

/** The work of a child. `self.signal` fires when it should stop; what it does after that has no effect. */
export type ChildFunction = (self: Self) => Promise<void>;

/**
 * A function as a child. Returning is an exit `normal`, so a permanent one is started again; a throw is a crash. Its
 * default restart is `transient`: work that is done stays done.
 */
export function functionChild(
  spec: Omit<ChildSpec, "start" | "type" | "prepare"> & { readonly run: ChildFunction },
): ChildSpec {
  const { run, ...child } = spec;
  return {
    restart: "transient",
    ...child,
    start: (options, { kernel }) =>
      kernel.start(new FunctionProcess(run), { kind: "function", ...options }),
  };
}

class FunctionProcess implements Behaviour {
  readonly #run: ChildFunction;

  constructor(run: ChildFunction) {
    this.#run = run;
  }

  start(self: Self): void {
    // Not awaited: the child is started, and goes on. Through a promise, so that a throw at once counts as well.
    Promise.resolve()
      .then(() => this.#run(self))
      .then(
        () => self.exit(normal),
        (thrown: unknown) => self.crash(thrown),
      );
  }

  handle(message: Incoming): void {
    if (message.type !== "call") return;
    const failure = { code: "unknown_function", executed: "no" } as const;
    const text = `a function has no function ${message.method}: it cannot be called`;
    message.reply({ ok: false, failure: { ...failure, message: text } });
  }
}
