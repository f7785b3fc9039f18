/**
 * The process around a gen-server: it dispatches messages to methods and callbacks, and carries out what they ask for.
 *
 * Invariants:
 *   G1. `terminate` runs before a call is answered by a server that stops, and before the process exits (B2.4).
 *   G2. A call is answered once: by what its method returns, unless the method deferred the answer.
 *
 * @module
 */
import {
  type Behaviour,
  CallError,
  crashed,
  ExitError,
  type ExitReason,
  type Incoming,
  type IncomingCall,
  isNormalLike,
  type Kernel,
  normal,
  type Self,
  type SpawnOptions,
  type StartResult,
} from "@coppice/kernel";
import type { GenServer } from "./gen-server.ts";
import { Continue, Idle, Internal, StopRequest } from "./internal-messages.ts";
import { type ServerMethod, serverMethods, unknownMethod } from "./server-methods.ts";
import { type AfterCallback, ServerSelf } from "./server-self.ts";
import { publicState } from "./server-state.ts";
import { isSystemCall, SystemCalls } from "./system-calls.ts";

/** Starts a server and waits for its `init`. */
export function startGenServer(
  kernel: Kernel,
  server: GenServer,
  options: SpawnOptions = {},
): Promise<StartResult> {
  const { trapExit } = server.constructor as typeof GenServer;
  return kernel.start(genServer(server), { kind: "gen-server", trapExit, ...options });
}

/** The behaviour that runs a server. */
export function genServer(server: GenServer): Behaviour {
  return new GenServerProcess(server);
}

export class GenServerProcess implements Behaviour {
  server: GenServer;
  readonly #after: AfterCallback = {
    stop: undefined,
    continueWith: undefined,
    idleMs: undefined,
    ignore: undefined,
    call: undefined,
    deferred: undefined,
  };
  #methods: ReadonlyMap<string, ServerMethod> = new Map();
  #idle: { readonly marker: Idle; readonly cancel: () => void } | undefined;
  #system: SystemCalls | undefined;

  constructor(server: GenServer) {
    this.server = server;
  }

  start(self: Self): void | Promise<void> {
    this.adopt(this.server, self);
    const pending = this.server.init?.();
    if (pending instanceof Promise) return pending.then(() => this.#started(self));
    return this.#started(self);
  }

  /** Makes `server` the one that is run. */
  adopt(server: GenServer, self: Self): void {
    server.self = new ServerSelf(self.kernel, self.pid, this.#after);
    this.server = server;
    this.#methods = serverMethods(server);
  }

  handle(message: Incoming, self: Self): void | Promise<void> {
    // Looking at a server is no message to it.
    const idle = isSystemCall(message) ? undefined : this.#endIdle();
    try {
      if (message.type === "info" && message.message instanceof Internal)
        return this.#internal(message.message, idle, self);
      return this.#then(this.#dispatch(message, self), self);
    } catch (thrown) {
      return this.#failed(thrown);
    }
  }

  #then(pending: unknown, self: Self): void | Promise<void> {
    if (!(pending instanceof Promise)) return this.#followUp(self);
    return pending.then(
      () => this.#followUp(self),
      (thrown: unknown) => this.#failed(thrown),
    );
  }

  ended(): void {
    this.#idle?.cancel();
  }

  report(): Readonly<Record<string, unknown>> {
    return { server: this.server.constructor.name, state: publicState(this.server) };
  }

  /** Runs `terminate`, if the server has it. */
  async terminate(reason: ExitReason): Promise<void> {
    await this.server.terminate?.(reason);
  }

  #started(self: Self): void {
    if (this.#after.ignore === true) throw new ExitError(normal);
    if (this.#after.stop !== undefined) throw new ExitError(this.#after.stop); // B1.2, without `terminate` (B1.3).
    this.#goOn(self);
  }

  #internal(message: Internal, idle: Idle | undefined, self: Self): void | Promise<void> {
    if (message instanceof StopRequest) return this.#stop(message.reason, self);
    if (message instanceof Idle && message !== idle) return undefined; // A message had cut this idle time short.
    const pending =
      message instanceof Continue
        ? this.server.handleContinue?.(message.about)
        : this.server.handleTimeout?.();
    return this.#then(pending, self);
  }

  #dispatch(message: Incoming, self: Self): unknown {
    switch (message.type) {
      case "call":
        if (isSystemCall(message)) {
          this.#system ??= new SystemCalls(this, self);
          return this.#system.answer(message);
        }
        return this.#call(message, self);
      case "cast":
        return this.#cast(message, self);
      case "info":
        return this.#info(message.message, self);
      case "down":
        if (this.server.handleDown === undefined) return this.#unexpected("down", self);
        return this.server.handleDown(message.ref, message.pid, message.reason);
      case "exit":
        if (self.isParent(message.from)) throw new ExitError(message.reason);
        if (this.server.handleExit === undefined) return this.#unexpected("exit", self);
        return this.server.handleExit(message.from, message.reason);
    }
  }

  #call(message: IncomingCall, self: Self): void | Promise<void> {
    const { server } = this;
    const method = this.#methods.get(message.method);
    if (method === undefined) return message.reply(unknownMethod(server, message.method));
    const after = this.#after;
    after.call = message;
    try {
      const value = method.apply(server, message.args as unknown[]);
      if (!(value instanceof Promise)) return this.#answer(message, value, self);
      return value.then(
        (settled) => this.#answer(message, settled, self),
        (thrown: unknown) => this.#refuse(message, thrown),
      );
    } catch (thrown) {
      return this.#refuse(message, thrown);
    }
  }

  #answer(message: IncomingCall, value: unknown, self: Self): void | Promise<void> {
    const after = this.#after;
    after.call = undefined;
    if (after.deferred === true) {
      after.deferred = undefined;
      return undefined;
    }
    if (after.stop === undefined) return message.reply({ ok: true, value });
    return this.#stop(after.stop, self, () => message.reply({ ok: true, value })); // G1
  }

  #refuse(message: IncomingCall, thrown: unknown): void {
    this.#after.call = undefined;
    if (!isRefusal(thrown)) throw thrown;
    message.reply({ ok: false, failure: thrown.toFailure() });
  }

  #cast(message: Incoming & { readonly type: "cast" }, self: Self): unknown {
    const method = this.#methods.get(message.method);
    if (method === undefined) return this.#unexpected(`cast ${message.method}`, self);
    try {
      const pending = method.apply(this.server, message.args as unknown[]);
      if (pending instanceof Promise) return pending.catch(ignoreRefusal);
    } catch (thrown) {
      ignoreRefusal(thrown);
    }
    return undefined;
  }

  #info(message: unknown, self: Self): unknown {
    if (this.server.handleInfo === undefined) return this.#unexpected("info", self);
    return this.server.handleInfo(message);
  }

  /** B3.7: the server goes on. */
  #unexpected(what: string, self: Self): void {
    const { constructor } = this.server;
    self.kernel.logger.warn(
      { event: "unexpected_message", pid: self.pid.toString(), server: constructor.name, what },
      `${constructor.name} got a message it does not handle: ${what}`,
    );
  }

  /** Any message ends the idle time. */
  #endIdle(): Idle | undefined {
    const idle = this.#idle;
    if (idle === undefined) return undefined;
    this.#idle = undefined;
    idle.cancel();
    return idle.marker;
  }

  #followUp(self: Self): void | Promise<void> {
    const { stop } = this.#after;
    if (stop !== undefined) return this.#stop(stop, self);
    return this.#goOn(self);
  }

  #goOn(self: Self): void {
    const { continueWith, idleMs } = this.#after;
    if (continueWith !== undefined) {
      this.#after.continueWith = undefined;
      self.remind(new Continue(continueWith.about), { first: true });
    }
    if (idleMs !== undefined) {
      this.#after.idleMs = undefined;
      const marker = new Idle();
      const cancel = self.kernel.clock.after(idleMs, () => self.remind(marker));
      this.#idle = { marker, cancel };
    }
  }

  /** `terminate`, then `last`, then the exit. Nothing is thrown: stops are many, and a throw costs more than all the rest. */
  #stop(reason: ExitReason, self: Self, last?: () => void): void | Promise<void> {
    this.#after.stop = undefined;
    const exit = (): void => {
      last?.();
      if (isNormalLike(reason)) self.exit(reason);
      else self.crash(new ExitError(reason)); // Reported (B4.6).
    };
    if (this.server.terminate === undefined) return exit();
    return this.terminate(reason).then(exit);
  }

  /** A throw of a callback: `terminate`, then the same throw is the process's end. */
  #failed(thrown: unknown): Promise<void> | never {
    if (this.server.terminate === undefined) throw thrown;
    const reason = thrown instanceof ExitError ? thrown.reason : crashed(thrown);
    return this.terminate(reason).then(() => {
      throw thrown;
    });
  }
}

/** What a server itself may say of a request. Other codes are of a call that it made: that failure is its own (B2.3). */
const refusals: ReadonlySet<string> = new Set(["denied", "bad_argument", "failed"]);

function isRefusal(thrown: unknown): thrown is CallError {
  return thrown instanceof CallError && refusals.has(thrown.code);
}

/** A method that refuses a cast has nobody to tell; what it refused is its own decision. */
function ignoreRefusal(thrown: unknown): void {
  if (!isRefusal(thrown)) throw thrown;
}
