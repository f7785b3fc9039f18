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
  type Kernel,
  type Logger,
  normal,
  type Self,
} from "@coppice/kernel";
import { type ChildSpec, SystemEnvelope } from "@coppice/otp";
import type { CompiledComponent } from "./compile.ts";
import { compileFor } from "./compiled-components.ts";
import { ComponentState } from "./component-state.ts";
import { type ComponentSource, sourceName } from "./component-source.ts";
import { BadArgumentError, UnknownFunctionError, WitError } from "./errors.ts";
import { givenInterface, type HostImports } from "./host-imports.ts";
import type { Instance } from "./instance.ts";
import { TooManyCallsError } from "./scheduler/errors.ts";
import { checkLimits, type GuestLimits, memoryBytesDefault } from "./scheduler/limits.ts";
import { openInstance, type Placement, prepareInstance } from "./scheduler/schedulers.ts";
import { GuestExitError } from "./wasi/wasi-errors.ts";
import type { WasiOptions } from "./wasi/wasi.ts";

/** A component as a child of a supervisor. */
export type ComponentSpec = Omit<ChildSpec, "start" | "type" | "prepare"> &
  ComponentSource & {
    /** Where its compiled form is kept. */
    readonly cacheDir: string;
    /**
     * What it imports, by WIT name. Throw a {@link WitError} to answer `err`; anything else that is thrown, a rejection,
     * and a value of the wrong type end the process.
     */
    readonly imports?: HostImports;
    readonly limits?: ComponentLimits;
    /** What it may have of its host through WASI, each process for itself. Default: nothing. */
    readonly wasi?: WasiOptions;
    /**
     * Where it runs on a node with threads for components. Default: on one of them, unless it takes resources of yours:
     * that one runs on the node's own thread, as `node` says of any.
     */
    readonly placement?: Placement;
    /** See `CompileOptions.metering`. Default: true. */
    readonly metering?: boolean;
    /** See `CompileOptions.experimentalAsync`. Default: false. */
    readonly experimentalAsync?: boolean;
  };

/** The limits of one component process. */
export interface ComponentLimits extends GuestLimits {
  /** How long a function of the host may take to settle, in milliseconds. Default: 30_000. */
  readonly importMs?: number;
  /** How many bytes of its memory the guest may refer to in one result, or in the arguments of one import. Default: 16 MiB. */
  readonly payloadBytes?: number;
  /**
   * The most bytes of the snapshot with which its state moves to another node; beyond, it starts anew there. Default: 4 MiB.
   */
  readonly snapshotBytes?: number;
}

/** The most bytes of a snapshot: what crosses nodes in one piece is limited to 8 MB. */
const snapshotBytesDefault = 4 << 20;

/**
 * The child specification of a component. It is compiled once, however often it restarts.
 *
 * @throws {RangeError} if a limit is no number, or out of range.
 */
export function component(spec: ComponentSpec): ChildSpec {
  const {
    cacheDir,
    imports = {},
    limits = {},
    wasi = {},
    placement,
    metering = true,
    experimentalAsync = false,
    ...rest
  } = spec;
  checkLimits(limits);
  const { source, child } = parted(rest);
  const { memoryBytes = memoryBytesDefault } = limits;
  const replaces = (name: string): boolean => givenInterface(imports, name) !== undefined;
  const replaced = Object.keys(imports).filter((name) => name.startsWith("wasi:"));
  let compiled: Promise<CompiledComponent> | undefined;
  const compile = (kernel: Kernel): Promise<CompiledComponent> => {
    const options = {
      ...source,
      cacheDir,
      memoryBytes,
      metering,
      experimentalAsync,
      replaces,
    };
    compiled ??= compileFor(kernel, options, replaced);
    compiled.catch(() => {
      compiled = undefined; // A file that was put right may be tried again.
    });
    return compiled;
  };
  const settings = { compile, imports, source: sourceName(source), limits, wasi, placement };
  return {
    ...child,
    prepare: async ({ kernel }) =>
      prepareInstance(kernel, await compile(kernel), { placement, imports }),
    start: (options, { kernel }) =>
      kernel.start(new ComponentProcess(settings), { kind: "component", ...options }),
  };
}

function parted(rest: Omit<ChildSpec, "start" | "type" | "prepare"> & ComponentSource): {
  readonly source: ComponentSource;
  readonly child: Omit<ChildSpec, "start" | "type" | "prepare">;
} {
  if ("path" in rest) {
    const { path, ...child } = rest;
    return { source: { path }, child };
  }
  if ("bytes" in rest) {
    const { bytes, ...child } = rest;
    return { source: { bytes }, child };
  }
  const { digest, store, ...child } = rest;
  return { source: { digest, store }, child };
}

interface Settings {
  readonly compile: (kernel: Kernel) => Promise<CompiledComponent>;
  readonly imports: HostImports;
  readonly source: string;
  readonly limits: ComponentLimits;
  readonly wasi: WasiOptions;
  readonly placement: Placement | undefined;
}

class ComponentProcess implements Behaviour {
  readonly #settings: Settings;
  #instance: Instance | undefined;
  #state: ComponentState | undefined;
  #inProgress = 0;
  #whenIdle: (() => void) | undefined;
  #isOver = false;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  async start(self: Self): Promise<void> {
    const { compile, imports, limits, wasi, placement } = this.#settings;
    const { snapshotBytes: bytesMax = snapshotBytesDefault, ...instanceLimits } = limits;
    const { logger, clock, random } = self.kernel;
    const compiled = await compile(self.kernel);
    const pid = self.pid.toString();
    const ownLogger = withPid(logger, pid);
    const instance = await openInstance(self.kernel, compiled, {
      placement,
      imports,
      wasi,
      owner: pid,
      clock,
      random,
      logger: ownLogger,
      ...instanceLimits,
      onOutput: (stream, line) => logger.debug({ event: "guest_output", pid, stream, line }, line),
      onLost: (error) => self.crash(error),
    });
    const idle = (): Promise<void> => this.#idle();
    this.#instance = instance;
    this.#state = new ComponentState({ instance, logger: ownLogger, bytesMax, idle });
    if (this.#isOver) this.ended(); // It came too late to be told.
  }

  handle(message: Incoming, self: Self): Promise<void> | undefined {
    if (message.type === "call" && message.args[0] instanceof SystemEnvelope)
      return this.#state!.answer(message, self);
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
      if (failure === undefined) self.crash(endOf(thrown));
      else if (message.type === "call") message.reply({ ok: false, failure });
    } finally {
      this.#inProgress -= 1;
      if (this.#inProgress === 0) this.#whenIdle?.();
    }
  }

  async #idle(): Promise<void> {
    if (this.#inProgress === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#whenIdle = resolve;
    await promise;
  }

  ended(): void {
    this.#isOver = true;
    this.#instance?.die(new ExitError({ type: "killed" }));
  }

  describe(): Readonly<Record<string, unknown>> {
    const { handles = 0, cpuMs = 0 } = this.#instance ?? {};
    return { source: this.#settings.source, handles, cpuMs: Math.round(cpuMs) };
  }
}

/** What the process ends with: a guest that ended itself with success is no crash. */
function endOf(thrown: unknown): unknown {
  return thrown instanceof GuestExitError && thrown.status === 0 ? new ExitError(normal) : thrown;
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
  if (thrown instanceof TooManyCallsError)
    return { code: "overloaded", executed: "no", message: thrown.message };
  if (thrown instanceof WitError)
    return { code: "failed", executed: "maybe", message: thrown.message, payload: thrown.payload };
  return undefined;
}
