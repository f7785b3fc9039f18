/**
 * Gen-servers: a class whose fields are the state and whose public methods are what others may call or cast.
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
  type Kernel,
  type Pid,
  type Self,
  type SpawnOptions,
  type StartResult,
} from "@coppice/kernel";

/** A gen-server's class: what a child specification names. */
export type GenServerClass = new (...args: any[]) => GenServer;

/**
 * Extend it. Every method the subclass declares is callable by name from any process, except the callbacks below and
 * names that start with `_`; arguments and results are plain data. A throw ends the server (let it crash), except a
 * thrown `CallError`, which is answered to the caller.
 */
export abstract class GenServer {
  /** Set before `init` runs. */
  self!: Self;

  /** Whether exit signals become `handleExit` and `terminate` runs on shutdown (A2.4). */
  static readonly trapExit: boolean = false;

  /** Runs before the first message; a throw is why the server did not start. */
  init?(): void | Promise<void>;
  /** A plain message (B3.2). Without this method it is dropped. */
  handleInfo?(message: unknown): void | Promise<void>;
  /** A monitored process ended. */
  handleDown?(ref: number, pid: Pid | undefined, reason: ExitReason): void | Promise<void>;
  /** A linked process other than the parent ended, with `trapExit`. */
  handleExit?(from: Pid, reason: ExitReason): void | Promise<void>;
  /** Runs when a callback threw, and on the parent's shutdown with `trapExit` (B4). */
  terminate?(reason: ExitReason): void | Promise<void>;
}

const callbacks = new Set([
  "constructor",
  "init",
  "handleInfo",
  "handleDown",
  "handleExit",
  "terminate",
]);

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
  return {
    start: (self) => {
      server.self = self;
      return server.init?.();
    },
    handle: async (message, self) => {
      try {
        await dispatch(server, message, self);
      } catch (thrown) {
        const reason = thrown instanceof ExitError ? thrown.reason : crashed(thrown);
        await server.terminate?.(reason);
        throw thrown;
      }
    },
  };
}

async function dispatch(server: GenServer, message: Incoming, self: Self): Promise<void> {
  switch (message.type) {
    case "call": {
      const method = publicMethod(server, message.method);
      if (method === undefined) return message.reply(unknownFunction(server, message.method));
      try {
        message.reply({ ok: true, value: await method.call(server, ...message.args) });
      } catch (thrown) {
        if (!(thrown instanceof CallError)) throw thrown;
        message.reply({ ok: false, failure: thrown.toFailure() });
      }
      return undefined;
    }
    case "cast":
      await publicMethod(server, message.method)?.call(server, ...message.args);
      return undefined;
    case "info":
      return server.handleInfo?.(message.message);
    case "down":
      return server.handleDown?.(message.ref, message.pid, message.reason);
    case "exit":
      if (!self.isParent(message.from)) return server.handleExit?.(message.from, message.reason);
      throw new ExitError(message.reason);
  }
}

type Method = (this: GenServer, ...args: unknown[]) => unknown;

/** The method of that name, if the subclass itself declares it: nothing inherited from `Object` may be called. */
function publicMethod(server: GenServer, name: string): Method | undefined {
  if (callbacks.has(name) || name.startsWith("_")) return undefined;
  let owner = Object.getPrototypeOf(server) as object;
  while (owner !== GenServer.prototype) {
    const value = Object.getOwnPropertyDescriptor(owner, name)?.value as unknown;
    if (typeof value === "function") return value as Method;
    owner = Object.getPrototypeOf(owner) as object;
  }
  return undefined;
}

function unknownFunction(server: GenServer, name: string) {
  const known = publicMethodNames(server);
  const has = known.length === 0 ? "it has no functions" : `it has ${known.join(", ")}`;
  const message = `${server.constructor.name} has no function ${name}; ${has}`;
  return { ok: false, failure: { code: "unknown_function", executed: "no", message } } as const;
}

function publicMethodNames(server: GenServer): string[] {
  const names = new Set<string>();
  let owner = Object.getPrototypeOf(server) as object;
  while (owner !== GenServer.prototype) {
    for (const name of Object.getOwnPropertyNames(owner))
      if (publicMethod(server, name) !== undefined) names.add(name);
    owner = Object.getPrototypeOf(owner) as object;
  }
  return [...names];
}
