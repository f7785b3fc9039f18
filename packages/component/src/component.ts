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
  normal,
  type Self,
} from "@coppice/kernel";
import type { ChildSpec } from "@coppice/otp";
import { type CompiledComponent, compileComponent } from "./compile.ts";
import { BadArgumentError, UnknownFunctionError, WitError } from "./errors.ts";
import {
  type ComponentInstance,
  type HostFunction,
  instantiate,
  type InstanceOptions,
} from "./instance.ts";
import { GuestExitError } from "./wasi/wasi-errors.ts";
import type { WasiOptions } from "./wasi/wasi.ts";

/** A component as a child of a supervisor. */
export interface ComponentSpec extends Omit<ChildSpec, "start" | "type"> {
  /** The component's file. */
  readonly path: string;
  /** Where its compiled form is kept. */
  readonly cacheDir: string;
  /** The functions it imports, by WIT name. Throw a {@link WitError} to answer `err`; anything else ends the process. */
  readonly imports?: Readonly<Record<string, HostFunction>>;
  readonly limits?: {
    /** The most memory, in bytes. */
    readonly memoryBytes?: number;
  };
  /** What it may have of its host, each process for itself. Default: nothing. */
  readonly wasi?: WasiOptions;
}

/** The child specification of a component. It is compiled once, however often it restarts. */
export function component(spec: ComponentSpec): ChildSpec {
  const { path, cacheDir, imports = {}, limits = {}, wasi = {}, ...child } = spec;
  let compiled: Promise<CompiledComponent> | undefined;
  const compile = (logger: Logger): Promise<CompiledComponent> => {
    compiled ??= compileComponent({ path, cacheDir, logger, ...limits });
    compiled.catch(() => {
      compiled = undefined; // A file that was put right may be tried again.
    });
    return compiled;
  };
  return {
    ...child,
    prepare: async ({ kernel }) => void (await compile(kernel.logger)),
    start: (options, { kernel }) =>
      kernel.start(new ComponentProcess(compile, { imports, wasi }), {
        kind: "component",
        ...options,
      }),
  };
}

type ProcessOptions = Pick<InstanceOptions, "imports"> & { readonly wasi: WasiOptions };

class ComponentProcess implements Behaviour {
  readonly #compile: (logger: Logger) => Promise<CompiledComponent>;
  readonly #options: ProcessOptions;
  #instance: ComponentInstance | undefined;
  #isOver = false;

  constructor(compile: (logger: Logger) => Promise<CompiledComponent>, options: ProcessOptions) {
    this.#compile = compile;
    this.#options = options;
  }

  async start(self: Self): Promise<void> {
    const { clock, random, logger } = self.kernel;
    const compiled = await this.#compile(logger);
    const onOutput = (stream: string, line: string): void => {
      logger.debug({ event: "guest_output", pid: self.pid.toString(), stream, line }, line);
    };
    const host = { clock, random, logger: withPid(logger, self.pid.toString()), onOutput };
    this.#instance = await instantiate(compiled, { ...this.#options, ...host });
    if (this.#isOver) this.ended();
  }

  async handle(message: Incoming): Promise<void> {
    if (message.type !== "call" && message.type !== "cast") return;
    try {
      const value = await this.#instance!.call(message.method, message.args);
      if (message.type === "call") message.reply({ ok: true, value });
    } catch (thrown) {
      if (thrown instanceof GuestExitError && thrown.status === 0) throw new ExitError(normal);
      const failure = failureOf(thrown);
      if (failure === undefined) throw thrown;
      if (message.type === "call") message.reply({ ok: false, failure });
    }
  }

  ended(): void {
    this.#isOver = true;
    this.#instance?.die(new ExitError({ type: "killed" }));
  }
}

/** Says in each line which process it is about. */
function withPid(logger: Logger, pid: string): Logger {
  return {
    debug: (fields, message) => logger.debug({ pid, ...fields }, message),
    info: (fields, message) => logger.info({ pid, ...fields }, message),
    warn: (fields, message) => logger.warn({ pid, ...fields }, message),
    error: (fields, message) => logger.error({ pid, ...fields }, message),
  };
}

/** What the caller is told; undefined for what ends the process. */
function failureOf(thrown: unknown): CallFailure | undefined {
  if (thrown instanceof UnknownFunctionError)
    return { code: "unknown_function", executed: "no", message: thrown.message };
  if (thrown instanceof BadArgumentError)
    return { code: "bad_argument", executed: "no", message: thrown.message };
  if (thrown instanceof WitError)
    return { code: "failed", executed: "maybe", message: thrown.message, payload: thrown.payload };
  return undefined;
}
