/**
 * A TCP proxy between one node and one server, which can do to their connection what networks do.
 *
 * Invariants:
 *   FP1. Bytes stay in order and, unless bits are flipped on purpose, as they are: what cannot pass waits, as TCP would
 *        send it again.
 *   FP2. While a direction is black, the end of its sender is not seen by the other side either.
 *
 * @module
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Random } from "@coppice/kernel";

/** What happens to the bytes of one direction. */
export interface DirectionFaults {
  /** Nothing passes. */
  isBlack: boolean;
  /** Each chunk is late by so much, in milliseconds, and up to `jitterMs` more. */
  delayMs: number;
  jitterMs: number;
  /** One chunk in so many has one bit flipped; 0: none. */
  flipOneIn: number;
}

/** `up`: from the node to the server. */
export type Direction = "up" | "down";

const host = "127.0.0.1";

function noFaults(): DirectionFaults {
  return { isBlack: false, delayMs: 0, jitterMs: 0, flipOneIn: 0 };
}

export class FaultProxy {
  readonly #random: Random;
  readonly #targetPort: number;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  readonly #faults: Record<Direction, DirectionFaults> = { up: noFaults(), down: noFaults() };
  #refuses = false;

  private constructor(targetPort: number, random: Random) {
    this.#targetPort = targetPort;
    this.#random = random;
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  /** Listens on a free port of 127.0.0.1. */
  static async start(targetPort: number, random: Random): Promise<FaultProxy> {
    const proxy = new FaultProxy(targetPort, random);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    proxy.#server.once("error", reject);
    proxy.#server.listen(0, host, resolve);
    await promise;
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new RangeError("it is closed");
    return address.port;
  }

  /** How many connections pass through it. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** Changes what happens to one direction, of open connections and of new ones. */
  set(direction: Direction, changes: Partial<DirectionFaults>): void {
    Object.assign(this.#faults[direction], changes);
    for (const pair of this.#pairs) pair.changed();
  }

  /** Resets every connection. */
  reset(): void {
    for (const pair of this.#pairs) pair.reset();
  }

  /** Whether new connections are reset at once. */
  refuse(refuses: boolean): void {
    this.#refuses = refuses;
  }

  /** Takes every fault back. */
  heal(): void {
    this.#refuses = false;
    this.set("up", noFaults());
    this.set("down", noFaults());
  }

  close(): void {
    this.#server.close();
    this.reset();
  }

  #accept(client: Socket): void {
    if (this.#refuses) {
      client.resetAndDestroy();
      return;
    }
    const server = connect({ host, port: this.#targetPort, noDelay: true });
    const pair = new Pair({ client, server, faults: this.#faults, random: this.#random });
    this.#pairs.add(pair);
    pair.onEnd = () => this.#pairs.delete(pair);
  }
}

/** One connection of the node, and the one to the server that goes with it. */
class Pair {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #flows: readonly Flow[];
  onEnd: () => void = () => {};

  constructor(options: {
    readonly client: Socket;
    readonly server: Socket;
    readonly faults: Readonly<Record<Direction, DirectionFaults>>;
    readonly random: Random;
  }) {
    const { client, server, faults, random } = options;
    this.#client = client;
    this.#server = server;
    this.#flows = [
      new Flow({ from: client, to: server, faults: faults.up, random }),
      new Flow({ from: server, to: client, faults: faults.down, random }),
    ];
    for (const flow of this.#flows) flow.onEnd = () => this.reset();
  }

  changed(): void {
    for (const flow of this.#flows) flow.pump();
  }

  reset(): void {
    for (const flow of this.#flows) flow.stop();
    this.#client.resetAndDestroy();
    this.#server.resetAndDestroy();
    this.onEnd();
  }
}

interface Chunk {
  readonly dueMs: number;
  readonly bytes: Buffer;
}

/** Above so much that waits, in bytes, the sender has to wait too. */
const waitingBytesMax = 4 << 20;

/** The bytes of one direction of one connection. */
class Flow {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #faults: DirectionFaults;
  readonly #random: Random;
  readonly #waiting: Chunk[] = [];
  #waitingBytes = 0;
  #lastDueMs = 0;
  #hasEnded = false;
  #timer: NodeJS.Timeout | undefined;
  onEnd: () => void = () => {};

  constructor(options: {
    readonly from: Socket;
    readonly to: Socket;
    readonly faults: DirectionFaults;
    readonly random: Random;
  }) {
    this.#from = options.from;
    this.#to = options.to;
    this.#faults = options.faults;
    this.#random = options.random;
    this.#from.on("data", (bytes: Buffer) => this.#take(bytes));
    this.#from.on("error", () => {}); // Its close says the rest.
    this.#from.on("close", () => {
      this.#hasEnded = true;
      this.pump();
    });
    this.#to.on("drain", () => this.#from.resume());
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#waiting.length = 0;
    this.#from.removeAllListeners("close");
  }

  /** Sends what is due. */
  pump(): void {
    clearTimeout(this.#timer);
    if (this.#faults.isBlack) return;
    const nowMs = performance.now();
    while (this.#waiting.length > 0 && this.#waiting[0]!.dueMs <= nowMs) {
      const { bytes } = this.#waiting.shift()!;
      this.#waitingBytes -= bytes.length;
      if (!this.#to.write(bytes)) this.#from.pause();
      else if (this.#waitingBytes < waitingBytesMax) this.#from.resume();
    }
    const next = this.#waiting[0];
    if (next !== undefined) this.#timer = setTimeout(() => this.pump(), next.dueMs - nowMs);
    else if (this.#hasEnded) this.onEnd();
  }

  #take(bytes: Buffer): void {
    const { delayMs, jitterMs, flipOneIn } = this.#faults;
    const fraction = this.#random.u32() / 0x1_0000_0000;
    const dueMs = delayMs === 0 ? 0 : performance.now() + delayMs + fraction * jitterMs;
    this.#lastDueMs = Math.max(this.#lastDueMs, dueMs); // FP1
    if (flipOneIn > 0 && this.#random.u32() % flipOneIn === 0) this.#flip(bytes);
    this.#waiting.push({ dueMs: this.#lastDueMs, bytes });
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes >= waitingBytesMax) this.#from.pause();
    this.pump();
  }

  #flip(bytes: Buffer): void {
    const at = this.#random.u32() % bytes.length;
    bytes[at]! ^= 1 << (this.#random.u32() % 8);
  }
}
