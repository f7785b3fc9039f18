/**
 * A TCP proxy in front of a server: cut, black in one direction, or slow.
 *
 * @module
 */
import { connect, createServer, type Socket } from "node:net";

export type Direction = "up" | "down";

export interface Proxy {
  readonly port: number;
  /** Resets every connection, and new ones until `heal`. */
  readonly cut: () => void;
  /** What is sent in this direction waits until `heal`. `up` is to the server. */
  readonly block: (direction: Direction) => void;
  /** Every chunk of both directions is late by so much, in milliseconds. */
  readonly delay: (ms: number) => void;
  readonly heal: () => void;
  readonly close: () => void;
}

const host = "127.0.0.1";

export async function startProxy(targetPort: number): Promise<Proxy> {
  const faults = { isCut: false, blocked: new Set<Direction>(), delayMs: 0 };
  const flows = new Set<() => void>();
  const sockets = new Set<Socket>();
  /** In order: a chunk waits for the one before it. */
  const carry = (from: Socket, to: Socket, direction: Direction): void => {
    const waiting: { readonly dueMs: number; readonly bytes: Buffer }[] = [];
    const pump = (): void => {
      while (waiting.length > 0 && !faults.blocked.has(direction)) {
        const lateMs = waiting[0]!.dueMs - performance.now();
        if (lateMs > 0) return void setTimeout(pump, lateMs);
        to.write(waiting.shift()!.bytes);
      }
    };
    flows.add(pump);
    from.on("data", (bytes: Buffer) => {
      waiting.push({ dueMs: performance.now() + faults.delayMs, bytes });
      pump();
    });
    from.once("close", () => {
      flows.delete(pump);
      sockets.delete(from);
      to.destroy();
    });
    from.on("error", () => {}); // Its `close` follows.
  };
  const server = createServer({ noDelay: true }, (client) => {
    if (faults.isCut) return void client.resetAndDestroy();
    const target = connect({ host, port: targetPort, noDelay: true });
    for (const socket of [client, target]) sockets.add(socket);
    carry(client, target, "up");
    carry(target, client, "down");
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const cut = (): void => {
    faults.isCut = true;
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const heal = (): void => {
    Object.assign(faults, { isCut: false, delayMs: 0 });
    faults.blocked.clear();
    for (const pump of flows) pump();
  };
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    cut,
    block: (direction) => void faults.blocked.add(direction),
    delay: (ms) => {
      faults.delayMs = ms;
    },
    heal,
    close: () => {
      cut();
      server.close();
    },
  };
}
