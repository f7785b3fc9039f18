/**
 * The process of one connected browser: events and messages in, patches out.
 *
 * @module
 */
import type { Behaviour, ExitReason, Incoming, Pid, Self } from "@coppice/kernel";
import type { Patch, Tree } from "./client/tree.ts";
import type { LiveNode, LiveView, ViewContext } from "./live-view.ts";
import { buildTree, diff, type UsedStatics } from "./render.ts";

/** What is sent to the browser. */
export interface Rendering {
  /** Templates it has not seen. */
  readonly s?: Readonly<Record<string, readonly string[]>>;
  readonly r?: Patch;
  /** The event that was handled. */
  readonly ack?: number;
}

/** Where renderings go. */
export interface ViewSocket {
  /** Whether the browser takes more now; a slow one gets only the newest state later. */
  readonly ready: () => boolean;
  readonly send: (rendering: Rendering) => void;
  /** The process ended. */
  readonly ended: (reason: ExitReason) => void;
}

/** How soon a slow browser is tried again, in milliseconds. */
const slowRetryMs = 50;
const flush = Symbol("flush");

export class ViewProcess<S> implements Behaviour {
  readonly #view: LiveView<S>;
  readonly #node: LiveNode;
  readonly #socket: ViewSocket;
  readonly #sentStatics = new Set<string>();
  #context: ViewContext | undefined;
  #state: S | undefined;
  #tree: Tree | undefined;
  #waiting = false;

  constructor(view: LiveView<S>, node: LiveNode, socket: ViewSocket) {
    this.#view = view;
    this.#node = node;
    this.#socket = socket;
  }

  async start(self: Self): Promise<void> {
    this.#context = connectedContext(this.#node, self.pid);
    this.#state = await this.#view.mount(this.#context);
    this.#render(self);
  }

  async handle(message: Incoming, self: Self): Promise<void> {
    const context = this.#context!;
    if (message.type === "info") {
      if (message.message === flush) this.#waiting = false;
      else if (this.#view.handleInfo !== undefined)
        this.#state = await this.#view.handleInfo(this.#state as S, message.message, context);
      this.#render(self);
    } else if (message.type === "cast") {
      const [value, ack] = message.args as [Record<string, string>, number];
      const { events = {} } = this.#view;
      const handler = Object.hasOwn(events, message.method) ? events[message.method] : undefined;
      if (handler === undefined) throw new Error(`the view has no event ${message.method}`);
      this.#state = await handler(this.#state as S, value, context);
      this.#render(self, ack);
    }
  }

  ended(reason: ExitReason): void {
    this.#socket.ended(reason);
  }

  #render(self: Self, ack?: number): void {
    if (ack === undefined && !this.#socket.ready()) {
      if (this.#waiting) return;
      this.#waiting = true;
      this.#node.clock.after(slowRetryMs, () => self.remind(flush));
      return;
    }
    const used: UsedStatics = new Map();
    const tree = buildTree(this.#view.render(this.#state as S), used);
    const patch = diff(this.#tree, tree);
    this.#tree = tree;
    if (patch === undefined && ack === undefined) return;
    const unsent = [...used].filter(([id]) => !this.#sentStatics.has(id));
    for (const [id] of unsent) this.#sentStatics.add(id);
    this.#socket.send({
      ...(unsent.length > 0 ? { s: Object.fromEntries(unsent) } : {}),
      ...(patch === undefined ? {} : { r: patch }),
      ...(ack === undefined ? {} : { ack }),
    });
  }
}

function connectedContext(node: LiveNode, pid: Pid): ViewContext {
  return { connected: true, pid, subscribe: (topic) => node.pubsub.subscribe(topic, pid) };
}
