/**
 * Notices when the machine did not let a NATS server answer for a while: a fault nobody asked for, and written down as one.
 *
 * Each server is sent pings on a connection of its own. One that is not there says nothing: then it was killed on purpose.
 *
 * @module
 */
import { connect, type Socket } from "node:net";
import type { FaultEvent } from "../history.ts";
import type { HarnessTime } from "./harness-time.ts";
import { stallKind } from "./stall-watch.ts";

const everyMs = 100;
const reconnectMs = 200;
/** An answer that takes longer is a stall, in milliseconds: a heartbeat's echo is valid for 400 ms. */
const answerMsMax = 250;

const greeting = 'CONNECT {"verbose":false,"pedantic":false}\r\n';

interface Watched {
  readonly name: string;
  readonly port: number;
  socket: Socket | undefined;
  /** When the ping was sent that has not been answered. */
  sentMs: number | undefined;
}

export class ServerStallWatch {
  readonly #now: HarnessTime;
  readonly #onStall: (event: FaultEvent) => void;
  readonly #servers: readonly Watched[];
  #isStopped = false;

  constructor(options: {
    readonly servers: readonly { readonly name: string; readonly port: number }[];
    readonly now: HarnessTime;
    readonly onStall: (event: FaultEvent) => void;
  }) {
    this.#now = options.now;
    this.#onStall = options.onStall;
    this.#servers = options.servers.map((server) => ({
      ...server,
      socket: undefined,
      sentMs: undefined,
    }));
    for (const server of this.#servers) this.#connect(server);
  }

  /** Since when a server may be stalled; `Infinity` if all have answered. */
  get sinceMs(): number {
    return Math.min(...this.#servers.map(({ sentMs }) => sentMs ?? Infinity));
  }

  stop(): void {
    this.#isStopped = true;
    for (const { socket } of this.#servers) socket?.destroy();
  }

  #connect(server: Watched): void {
    if (this.#isStopped) return;
    const socket = connect(server.port, "127.0.0.1");
    server.socket = socket;
    socket.once("data", () => {
      socket.write(greeting);
      this.#ping(server, socket);
    });
    socket.on("data", (bytes) => {
      const text = bytes.toString("latin1");
      if (text.includes("PING")) socket.write("PONG\r\n");
      if (text.includes("PONG")) this.#answered(server, socket);
    });
    socket.on("error", () => {}); // The end follows.
    socket.on("close", () => {
      server.sentMs = undefined;
      setTimeout(() => this.#connect(server), reconnectMs).unref();
    });
  }

  #ping(server: Watched, socket: Socket): void {
    if (socket.destroyed) return;
    server.sentMs = this.#now();
    socket.write("PING\r\n");
  }

  #answered(server: Watched, socket: Socket): void {
    const { name, sentMs } = server;
    const nowMs = this.#now();
    server.sentMs = undefined;
    if (sentMs !== undefined && nowMs - sentMs > answerMsMax)
      this.#onStall({
        type: "fault",
        kind: stallKind,
        targets: [name],
        atMs: sentMs,
        untilMs: nowMs,
      });
    setTimeout(() => this.#ping(server, socket), everyMs).unref();
  }
}
