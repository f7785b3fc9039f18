/**
 * System requests to a gen-server, as OTP's `sys`: looking at its state, changing it, suspending it, stopping it, giving it new code.
 *
 * This is the server's side; `sys.ts` makes the requests. They do not leave their node.
 *
 * @module
 */
import { ExitError, type Incoming, type IncomingCall, type Self } from "@coppice/kernel";
import type { GenServerProcess } from "./gen-server-process.ts";
import type { GenServer } from "./gen-server.ts";
import { StopRequest } from "./internal-messages.ts";
import { publicFields, publicState } from "./server-state.ts";

/** What errors call a system request. */
export const systemMethod = "$system";

/** What is asked. */
export type SystemRequest =
  | { readonly type: "get_state" }
  | { readonly type: "replace_state"; readonly change: (state: object) => object }
  | { readonly type: "get_status" }
  | { readonly type: "suspend" }
  | { readonly type: "resume" }
  | { readonly type: "change_code"; readonly to: GenServer; readonly extra: unknown };

/** Requests cross by reference. What comes from another node, or from a client outside, is a copy: never one of these. */
export class SystemEnvelope {
  readonly request: SystemRequest;
  constructor(request: SystemRequest) {
    this.request = request;
  }
}

export function isSystemCall(message: Incoming): message is IncomingCall {
  return message.type === "call" && message.args[0] instanceof SystemEnvelope;
}

export class SystemCalls {
  readonly #process: GenServerProcess;
  readonly #self: Self;
  #suspended = false;

  constructor(process: GenServerProcess, self: Self) {
    this.#process = process;
    this.#self = self;
  }

  /** Answers a request. Of a suspended server, answers all until it is resumed: other messages wait meanwhile. */
  async answer(message: IncomingCall): Promise<void> {
    await this.#one(message);
    while (this.#suspended) {
      const next = await this.#self.receive((each) => this.#cannotWait(each));
      if (next.type === "exit") throw new ExitError(next.reason);
      if (next.type === "info") throw new ExitError((next.message as StopRequest).reason);
      await this.#one(next as IncomingCall);
    }
  }

  #cannotWait(message: Incoming): boolean {
    switch (message.type) {
      case "exit":
        return this.#self.isParent(message.from);
      case "info":
        return message.message instanceof StopRequest;
      default:
        return isSystemCall(message);
    }
  }

  async #one(message: IncomingCall): Promise<void> {
    const { request } = message.args[0] as SystemEnvelope;
    try {
      message.reply({ ok: true, value: await this.#carryOut(request) });
    } catch (thrown) {
      // The change is refused, the server goes on as it was.
      const failure = { code: "failed", executed: "maybe", message: String(thrown) } as const;
      message.reply({ ok: false, failure });
    }
  }

  async #carryOut(request: Exclude<SystemRequest, { readonly type: "stop" }>): Promise<unknown> {
    const { server } = this.#process;
    switch (request.type) {
      case "get_state":
        return server.save?.() ?? publicFields(server);
      case "replace_state":
        return replaceState(server, request.change);
      case "get_status":
        return {
          status: this.#suspended ? "suspended" : "running",
          server: server.constructor.name,
          state: publicState(server),
        };
      case "suspend":
        this.#suspended = true;
        return undefined;
      case "resume":
        this.#suspended = false;
        return undefined;
      case "change_code":
        return this.#changeCode(request.to, request.extra);
    }
  }

  async #changeCode(to: GenServer, extra: unknown): Promise<void> {
    const { server } = this.#process;
    const state = server.save?.() ?? publicFields(server);
    const { version } = server.constructor as typeof GenServer;
    if (to.codeChange !== undefined) await to.codeChange(version, state, extra);
    else if (to.load === undefined) Object.assign(to, state);
    else to.load(state);
    this.#process.adopt(to, this.#self);
  }
}

function replaceState(server: GenServer, change: (state: object) => object): unknown {
  if (server.save !== undefined && server.load !== undefined) {
    const state = change(server.save() as object);
    server.load(state);
    return state;
  }
  const state = change(publicFields(server));
  Object.assign(server, state);
  return state;
}
