/**
 * A network server as a child: listening is started, closing is stopped.
 *
 * Asked to stop, it accepts no more connections and lets requests that run finish, within `shutdownMs`; then what is left is cut.
 *
 * @module
 */
import type { Server, Socket } from "node:net";
import { type Behaviour, ExitError, type Incoming, type Self, shutdown } from "@coppice/kernel";
import type { ChildSpec } from "./child-spec.ts";

/** A server as a child of a supervisor: TCP, HTTP, or what is built on them, as WebSocket servers are. */
export interface ServerChildSpec extends Omit<ChildSpec, "start" | "type" | "prepare"> {
  /** Makes the server, for each start anew. */
  readonly create: (self: Self) => Server;
  /** 0: a free one. */
  readonly port: number;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /**
   * Called when it is asked to stop, before it waits for its connections: the place to say goodbye to those that would stay
   * for ever, such as WebSockets.
   */
  readonly closing?: (server: Server) => void;
}

/** What an HTTP server has beside a TCP server's methods. */
interface ClosesIdleConnections {
  readonly closeIdleConnections?: () => void;
}

/** A server as a child. An `error` of the server is a crash. Calling `address` answers where it listens. */
export function serverChild(spec: ServerChildSpec): ChildSpec {
  const { create, port, host = "127.0.0.1", closing, ...child } = spec;
  return {
    ...child,
    start: (options, { kernel }) =>
      kernel.start(new ServerProcess({ create, port, host, closing }), {
        kind: "server",
        trapExit: true,
        ...options,
      }),
  };
}

interface ServerSettings {
  readonly create: (self: Self) => Server;
  readonly port: number;
  readonly host: string;
  readonly closing: ((server: Server) => void) | undefined;
}

class ServerProcess implements Behaviour {
  readonly #spec: ServerSettings;
  readonly #connections = new Set<Socket>();
  #server: (Server & ClosesIdleConnections) | undefined;

  constructor(spec: ServerSettings) {
    this.#spec = spec;
  }

  async start(self: Self): Promise<void> {
    const { create, port, host } = this.#spec;
    const server = create(self);
    this.#server = server;
    server.on("connection", (socket) => {
      this.#connections.add(socket);
      socket.once("close", () => this.#connections.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, resolve);
    });
    server.on("error", (error) => self.crash(error));
  }

  handle(message: Incoming, self: Self): void {
    switch (message.type) {
      case "exit":
        if (!self.isParent(message.from)) throw new ExitError(message.reason); // A linked process crashed.
        if (message.reason.type !== "shutdown") throw new ExitError(message.reason);
        return this.#close(self);
      case "call":
        if (message.method === "address")
          return message.reply({ ok: true, value: { ...this.#address() } });
        return message.reply({
          ok: false,
          failure: {
            code: "unknown_function",
            executed: "no",
            message: `a server has no function ${message.method}; it has address`,
          },
        });
    }
  }

  ended(): void {
    this.#server?.close();
    for (const socket of this.#connections) socket.destroy();
  }

  describe(): Readonly<Record<string, unknown>> {
    const { address, port } = this.#address();
    return { listens: `${address}:${port}`, connections: this.#connections.size };
  }

  /** Ends when the last connection has; the supervisor kills it when its time is up. */
  #close(self: Self): void {
    const server = this.#server!;
    server.close(() => self.exit(shutdown));
    this.#spec.closing?.(server);
    server.closeIdleConnections?.();
  }

  #address(): { readonly address: string; readonly port: number } {
    const bound = this.#server?.address();
    if (typeof bound === "object" && bound !== null)
      return { address: bound.address, port: bound.port };
    return { address: this.#spec.host, port: this.#spec.port };
  }
}
