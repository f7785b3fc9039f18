/**
 * The NATS servers of a run: one, or a cluster of three, each killed, frozen and started again with its store.
 *
 * @module
 */
import { join } from "node:path";
import { freePort, type LocalNatsServer, startNatsServer } from "@coppice/net-nats";

const clusterName = "chaos";
const httpTimeoutMs = 1_000;
const leaderPollMs = 200;

export class NatsServers {
  readonly #executable: string;
  readonly #seats: readonly Seat[];

  private constructor(executable: string, seats: readonly Seat[]) {
    this.#executable = executable;
    this.#seats = seats;
  }

  /** Each keeps its files in a folder of its own below `folder`. */
  static async start(options: {
    readonly executable: string;
    readonly folder: string;
    readonly count: number;
  }): Promise<NatsServers> {
    const { executable, folder, count } = options;
    const seats: Seat[] = [];
    for (let number = 1; number <= count; number += 1)
      seats.push({
        name: `nats-${number}`,
        storeDir: join(folder, `nats-${number}`),
        port: await freePort(),
        routePort: await freePort(),
        httpPort: await freePort(),
        server: undefined,
      });
    const servers = new NatsServers(executable, seats);
    await Promise.all(seats.map((_, index) => servers.startOne(index)));
    return servers;
  }

  get names(): readonly string[] {
    return this.#seats.map(({ name }) => name);
  }

  get ports(): readonly number[] {
    return this.#seats.map(({ port }) => port);
  }

  get urls(): readonly string[] {
    return this.#seats.map(({ port }) => `nats://127.0.0.1:${port}`);
  }

  storeDir(index: number): string {
    return this.#seats[index]!.storeDir;
  }

  /** Does nothing if it runs. */
  async startOne(index: number): Promise<void> {
    const seat = this.#seats[index]!;
    if (seat.server !== undefined) return;
    const { storeDir, port } = seat;
    const configuration = this.#configurationOf(seat);
    seat.server = await startNatsServer({
      executable: this.#executable,
      storeDir,
      port,
      configuration,
    });
  }

  /** Kills it, and waits until it is gone. Does nothing if it does not run. */
  async kill(index: number): Promise<void> {
    const { server } = this.#seats[index]!;
    if (server === undefined) return;
    this.#seats[index]!.server = undefined;
    const { process } = server;
    const ended = new Promise((resolve) => process.once("exit", resolve));
    process.kill("SIGKILL");
    if (process.exitCode === null && process.signalCode === null) await ended;
  }

  freeze(index: number): void {
    this.#seats[index]!.server?.process.kill("SIGSTOP");
  }

  thaw(index: number): void {
    this.#seats[index]!.server?.process.kill("SIGCONT");
  }

  /** Which server leads the stream; waits for the end of an election. */
  async leaderOf(stream: string): Promise<number> {
    for (;;) {
      for (const { httpPort } of this.#seats) {
        const leader = await leaderAt(httpPort, stream);
        const index = this.#seats.findIndex(({ name }) => name === leader);
        if (index >= 0) return index;
      }
      await new Promise((resolve) => setTimeout(resolve, leaderPollMs));
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#seats.map((_, index) => this.kill(index)));
  }

  #configurationOf({ name, httpPort, routePort }: Seat): string {
    const lines = [`server_name: ${name}`, `http: 127.0.0.1:${httpPort}`];
    if (this.#seats.length > 1) {
      const routes = this.#seats.map(({ routePort: port }) => `nats://127.0.0.1:${port}`);
      // Clients are not told of the other servers: they are to use the proxies.
      lines.push(
        `cluster { name: ${clusterName}, listen: "127.0.0.1:${routePort}", no_advertise: true, routes: [${routes.join(", ")}] }`,
      );
    }
    return lines.join("\n");
  }
}

interface Seat {
  readonly name: string;
  readonly storeDir: string;
  readonly port: number;
  readonly routePort: number;
  readonly httpPort: number;
  server: LocalNatsServer | undefined;
}

/** What one server says who leads a stream; nothing if it does not answer or does not know. */
async function leaderAt(httpPort: number, stream: string): Promise<string | undefined> {
  try {
    const url = `http://127.0.0.1:${httpPort}/jsz?streams=1&accounts=1`;
    const response = await fetch(url, { signal: AbortSignal.timeout(httpTimeoutMs) });
    const { account_details: accounts = [] } = (await response.json()) as JetStreamDetails;
    const streams = accounts.flatMap(({ stream_detail: details = [] }) => details);
    return streams.find(({ name }) => name === stream)?.cluster?.leader;
  } catch {
    return undefined; // It may be one that a fault has stopped.
  }
}

interface JetStreamDetails {
  readonly account_details?: readonly {
    readonly stream_detail?: readonly {
      readonly name: string;
      readonly cluster?: { readonly leader?: string };
    }[];
  }[];
}
