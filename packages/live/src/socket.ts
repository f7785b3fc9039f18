/**
 * One browser's WebSocket: the join, then its events, until either end closes.
 *
 * @module
 */
import { describeReason, type Pid, shutdown } from "@coppice/kernel";
import type { WebSocket } from "ws";
import type { LiveNode, LiveView } from "./live-view.ts";
import { ViewProcess } from "./view-process.ts";

/** Bytes waiting for a slow browser above which it gets no more renderings until they are sent. */
export const bufferedBytesMax = 256 * 1024;
/** Events a browser may send at once, and how many more each second; beyond that it is disconnected. */
export const eventsBurstMax = 100;
export const eventsPerSecond = 50;

/** Close codes of our own, from the range that is free for applications. */
export const closeCodes = {
  badToken: 4001,
  crashed: 4002,
  tooFast: 4003,
  malformed: 4004,
} as const;

/** What a socket needs to know. */
export interface SocketOptions {
  readonly socket: WebSocket;
  readonly node: LiveNode;
  /** The process that serves the pages. */
  readonly parent: Pid;
  readonly viewOf: (path: string) => LiveView<unknown> | undefined;
  readonly isValid: (path: string, token: string) => boolean;
}

type FromBrowser =
  | { readonly type: "join"; readonly path: string; readonly token: string }
  | {
      readonly type: "event";
      readonly id: number;
      readonly name: string;
      readonly value: Readonly<Record<string, string>>;
    }
  | { readonly type: "ping" };

export function serveSocket(options: SocketOptions): void {
  const { socket, node } = options;
  let pid: Pid | undefined;
  let allowance = eventsBurstMax;
  let countedMs = node.clock.now();
  const mayGoOn = (): boolean => {
    const nowMs = node.clock.now();
    const earned = ((nowMs - countedMs) / 1_000) * eventsPerSecond;
    allowance = Math.min(eventsBurstMax, allowance + earned) - 1;
    countedMs = nowMs;
    return allowance >= 0;
  };
  socket.on("message", (data, isBinary) => {
    const message = isBinary ? undefined : parse((data as Buffer).toString("utf8"));
    if (message === undefined) return socket.close(closeCodes.malformed, "malformed message");
    if (!mayGoOn()) return socket.close(closeCodes.tooFast, "too many events");
    if (message.type === "join") {
      if (pid !== undefined) return socket.close(closeCodes.malformed, "joined twice");
      pid = join(options, message);
    } else if (message.type === "event" && pid !== undefined) {
      node.kernel.cast(pid, message.name, [message.value, message.id]);
    }
  });
  // An error of the socket is followed by its close.
  socket.on("error", (error) => {
    node.logger.debug({ event: "socket_error", error: error.message }, error.message);
  });
  socket.on("close", () => {
    if (pid !== undefined) node.kernel.exit(pid, shutdown);
  });
}

function join(options: SocketOptions, message: FromBrowser & { type: "join" }): Pid | undefined {
  const { socket, node, parent, viewOf, isValid } = options;
  const view = viewOf(message.path);
  if (view === undefined || !isValid(message.path, message.token)) {
    socket.close(closeCodes.badToken, "reload the page");
    return undefined;
  }
  const process = new ViewProcess(view, node, {
    ready: () => socket.bufferedAmount < bufferedBytesMax,
    send: (rendering) => socket.send(JSON.stringify(rendering)),
    ended: (reason) => {
      if (socket.readyState !== socket.OPEN) return;
      if (reason.type !== "shutdown") socket.send(JSON.stringify({ crash: true }));
      const code = reason.type === "shutdown" ? 1001 : closeCodes.crashed;
      socket.close(
        code,
        describeReason(reason)
          .slice(0, 30)
          .replaceAll(/[^\x20-\x7e]/g, "?"),
      );
    },
  });
  return node.kernel.spawn(process, { kind: "live-view", label: message.path, parent });
}

/** Undefined for what no client of ours sends. */
function parse(text: string): FromBrowser | undefined {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof message !== "object" || message === null) return undefined;
  const { type, path, token, id, name, value } = message as Record<string, unknown>;
  if (type === "ping") return { type };
  if (type === "join" && typeof path === "string" && typeof token === "string")
    return { type, path, token };
  if (type !== "event" || typeof id !== "number" || typeof name !== "string") return undefined;
  if (typeof value !== "object" || value === null) return undefined;
  const fields = Object.entries(value);
  if (fields.some(([, content]) => typeof content !== "string")) return undefined;
  return { type, id, name, value: Object.fromEntries(fields) as Record<string, string> };
}
