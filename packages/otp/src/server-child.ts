/**
 * A network server as a child: listening is started, closing is stopped.
 *
 * @module
 */
import type { Server } from "node:net";
import { type Behaviour, type Incoming, type Self } from "@coppice/kernel";
import type { ChildSpec } from "./child-spec.ts";

/** A server as a child of a supervisor: TCP, HTTP, or what is built on them. */
export interface ServerChildSpec extends Omit<ChildSpec, "start" | "type" | "prepare"> {
  /** Makes the server, for each start anew. */
  readonly create: (self: Self) => Server;
  /** 0: a free one. */
  readonly port: number;
  /** Default: 127.0.0.1. */
  readonly host?: string;
}

/** What an HTTP server has beside a TCP server's methods. */
interface ClosesConnections {
  readonly closeAllConnections?: () => void;
}

/**
 * A server as a child. An `error` of the server is a crash. When it stops, HTTP connections are closed; those of another
 * server are its own to close, on its `close` event or `self.signal`. Calling `address` answers where it listens.
 */
export function serverChild(spec: ServerChildSpec): ChildSpec {
  const { create, port, host = "127.0.0.1", ...child } = spec;
  return {
    ...child,
    start: (options, { kernel }) =>
      kernel.start(new ServerProcess(create, port, host), { kind: "server", ...options }),
  };
}

class ServerProcess implements Behaviour {
  readonly #create: (self: Self) => Server;
  readonly #port: number;
  readonly #host: string;
  #server: (Server & ClosesConnections) | undefined;

  constructor(create: (self: Self) => Server, port: number, host: string) {
    this.#create = create;
    this.#port = port;
    this.#host = host;
  }

  async start(self: Self): Promise<void> {
    const server = this.#create(self);
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, this.#host, resolve);
    });
    server.on("error", (error) => self.crash(error));
  }

  handle(message: Incoming): void {
    if (message.type !== "call") return;
    if (message.method === "address")
      return message.reply({ ok: true, value: { ...this.#address() } });
    const text = `a server has no function ${message.method}; it has address`;
    const failure = { code: "unknown_function", executed: "no", message: text } as const;
    message.reply({ ok: false, failure });
  }

  ended(): void {
    this.#server?.close();
    this.#server?.closeAllConnections?.();
  }

  describe(): Readonly<Record<string, unknown>> {
    const { address, port } = this.#address();
    return { listens: `${address}:${port}` };
  }

  #address(): { readonly address: string; readonly port: number } {
    const bound = this.#server?.address();
    if (typeof bound === "object" && bound !== null)
      return { address: bound.address, port: bound.port };
    return { address: this.#host, port: this.#port };
  }
}
