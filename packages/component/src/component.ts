/**
 * A component as a supervised process: one instance, one call at a time, restarted by starting a new instance.
 *
 * @module
 */
import {
  type Behaviour,
  type CallFailure,
  ExitError,
  type Incoming,
  type Logger,
  type Self,
} from "@coppice/kernel";
import type { ChildSpec } from "@coppice/otp";
import { type CompiledComponent, compileComponent } from "./compile.ts";
import { BadArgumentError, UnknownFunctionError, WitError } from "./errors.ts";
import { TooManyCallsError } from "./scheduler/errors.ts";
import type { GuestLimits } from "./scheduler/limits.ts";
import { openInstance, type Placement } from "./scheduler/schedulers.ts";
import type { HostFunction, Instance } from "./instance.ts";

/** A component as a child of a supervisor. */
export interface ComponentSpec extends Omit<ChildSpec, "start" | "type"> {
  /** The component's file. */
  readonly path: string;
  /** Where its compiled form is kept. */
  readonly cacheDir: string;
  /** The functions it imports, by WIT name. Throw a {@link WitError} to answer `err`; anything else ends the process. */
  readonly imports?: Readonly<Record<string, HostFunction>>;
  readonly limits?: GuestLimits;
  /** Where it runs while the node has `componentSchedulers`. Default: `pool`, on one of their threads. */
  readonly placement?: Placement;
  /** See `CompileOptions.metering`. Default: true. */
  readonly metering?: boolean;
}

/** The child specification of a component. It is compiled once, however often it restarts. */
export function component(spec: ComponentSpec): ChildSpec {
  const {
    path,
    cacheDir,
    imports = {},
    limits = {},
    metering = true,
    placement = "pool",
    ...child
  } = spec;
  let compiled: Promise<CompiledComponent> | undefined;
  const compile = (logger: Logger): Promise<CompiledComponent> => {
    compiled ??= compileComponent({ path, cacheDir, logger, limits, metering });
    compiled.catch(() => {
      compiled = undefined; // A file that was put right may be tried again.
    });
    return compiled;
  };
  return {
    ...child,
    prepare: async ({ kernel }) => void (await compile(kernel.logger)),
    start: (options, { kernel }) =>
      kernel.start(new ComponentProcess(compile, imports, placement), {
        kind: "component",
        ...options,
      }),
  };
}

class ComponentProcess implements Behaviour {
  readonly #compile: (logger: Logger) => Promise<CompiledComponent>;
  readonly #imports: Readonly<Record<string, HostFunction>>;
  readonly #placement: Placement;
  #instance: Instance | undefined;
  #inProgress = 0;
  #ended = false;

  constructor(
    compile: (logger: Logger) => Promise<CompiledComponent>,
    imports: Readonly<Record<string, HostFunction>>,
    placement: Placement,
  ) {
    this.#compile = compile;
    this.#imports = imports;
    this.#placement = placement;
  }

  async start(self: Self): Promise<void> {
    const { logger } = self.kernel;
    const compiled = await this.#compile(logger);
    const onOutput = (stream: string, line: string): void => {
      logger.debug({ event: "guest_output", pid: self.pid.toString(), stream, line }, line);
    };
    const instance = await openInstance(self.kernel, compiled, {
      placement: this.#placement,
      imports: this.#imports,
      onOutput,
      onLost: (error) => self.kernel.crashSelf(self.pid, error),
    });
    this.#instance = instance;
    if (this.#ended) instance.die(new ExitError({ type: "killed" })); // It came too late to be told.
  }

  handle(message: Incoming, self: Self): Promise<void> | undefined {
    if (message.type !== "call" && message.type !== "cast") return undefined;
    const done = this.#answer(message, self);
    // An instance elsewhere takes the next calls while it works, or each would wait for a message there and back.
    return this.#inProgress < this.#instance!.callsAtOnce ? undefined : done;
  }

  async #answer(message: Incoming & { type: "call" | "cast" }, self: Self): Promise<void> {
    this.#inProgress += 1;
    try {
      const value = await this.#instance!.call(message.method, message.args);
      if (message.type === "call") message.reply({ ok: true, value });
    } catch (thrown) {
      const failure = failureOf(thrown);
      if (failure === undefined) self.kernel.crashSelf(self.pid, thrown);
      else if (message.type === "call") message.reply({ ok: false, failure });
    } finally {
      this.#inProgress -= 1;
    }
  }

  describe(): Readonly<Record<string, unknown>> {
    return { cpuMs: Math.round(this.#instance?.cpuMs ?? 0) };
  }

  ended(): void {
    this.#ended = true;
    this.#instance?.die(new ExitError({ type: "killed" }));
  }
}

/** What the caller is told; undefined for what ends the process. */
function failureOf(thrown: unknown): CallFailure | undefined {
  if (thrown instanceof UnknownFunctionError)
    return { code: "unknown_function", executed: "no", message: thrown.message };
  if (thrown instanceof BadArgumentError)
    return { code: "bad_argument", executed: "no", message: thrown.message };
  if (thrown instanceof TooManyCallsError)
    return { code: "overloaded", executed: "no", message: thrown.message };
  if (thrown instanceof WitError)
    return { code: "failed", executed: "maybe", message: thrown.message, payload: thrown.payload };
  return undefined;
}
