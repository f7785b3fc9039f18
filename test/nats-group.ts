/**
 * Three nats-servers of one group on this machine, each of which can be killed and started again.
 *
 * @module
 */
import { join } from "node:path";
import {
  connectNats,
  findNatsServer,
  freePort,
  type LocalNatsServer,
  startNatsServer,
} from "@coppice/net-nats";

/** One server of the group. */
export interface GroupServer {
  readonly name: string;
  readonly url: string;
  /** As SIGKILL: at once, and with its disk as it is. */
  readonly kill: () => Promise<void>;
  readonly restart: () => Promise<void>;
}

export interface NatsGroup {
  readonly servers: readonly GroupServer[];
  readonly urls: readonly string[];
  /** The server that leads the stream of a cluster's names. */
  readonly leaderOf: (cluster: string) => Promise<GroupServer>;
  /** The last sequence that each server says a stream has; nothing of a server that does not answer. */
  readonly lastSequences: (stream: string) => Promise<readonly (number | undefined)[]>;
  /** Waits until every server has all of that stream: a kill before would leave too few that do. */
  readonly untilCurrent: (cluster: string) => Promise<void>;
  readonly stop: () => Promise<void>;
}

const names = ["n1", "n2", "n3"];
const pollMs = 100;
const leaderWithinMs = 30_000;
const httpTimeoutMs = 1_000;

/** Starts them, in subfolders of `folder`, and waits until they have agreed on who leads. */
export async function startNatsGroup(folder: string): Promise<NatsGroup> {
  const executable = findNatsServer({ path: process.env["PATH"] ?? "" })!;
  const plans: { name: string; port: number; routePort: number; httpPort: number }[] = [];
  for (const name of names) {
    const [port, routePort, httpPort] = [await freePort(), await freePort(), await freePort()];
    plans.push({ name, port, routePort, httpPort });
  }
  const routes = plans.map(({ routePort }) => `"nats://127.0.0.1:${routePort}"`).join(", ");
  const servers = await Promise.all(
    plans.map(async ({ name, port, routePort, httpPort }) => {
      const configuration = [
        `server_name: ${name}`,
        `http: "127.0.0.1:${httpPort}"`,
        `cluster { name: group, listen: "127.0.0.1:${routePort}", routes: [${routes}] }`,
      ].join("\n");
      const start = (): Promise<LocalNatsServer> =>
        startNatsServer({ executable, storeDir: join(folder, name), port, configuration });
      let running: LocalNatsServer | undefined = await start();
      const url = running.url;
      const kill = async (): Promise<void> => {
        const server = running?.process;
        running = undefined;
        if (server === undefined) return;
        const ended = new Promise((resolve) => server.once("exit", resolve));
        server.kill("SIGKILL");
        await ended;
      };
      const restart = async (): Promise<void> => {
        running ??= await start();
      };
      return { name, url, kill, restart };
    }),
  );
  const urls = servers.map(({ url }) => url);
  await pollApi(urls, "$JS.API.INFO", (answer) => answer["error"] === undefined);
  return {
    servers,
    urls,
    leaderOf: async (cluster) => {
      const leader = (answer: Answer): unknown => (answer["cluster"] as Answer)?.["leader"];
      const subject = `$JS.API.STREAM.INFO.KV_coppice-${cluster}`;
      const answer = await pollApi(urls, subject, (each) => names.includes(leader(each) as string));
      return servers.find(({ name }) => name === leader(answer))!;
    },
    lastSequences: (stream) =>
      Promise.all(plans.map(({ httpPort }) => lastSequenceAt(httpPort, stream))),
    untilCurrent: async (cluster) => {
      const subject = `$JS.API.STREAM.INFO.KV_coppice-${cluster}`;
      const isCurrent = (each: Answer): boolean =>
        each["current"] === true && each["offline"] !== true;
      await pollApi(urls, subject, (answer) => {
        const replicas = ((answer["cluster"] as Answer)?.["replicas"] ?? []) as readonly Answer[];
        return replicas.length === names.length - 1 && replicas.every(isCurrent);
      });
    },
    stop: async () => {
      for (const { kill } of servers) await kill();
    },
  };
}

type Answer = Readonly<Record<string, unknown>>;

async function lastSequenceAt(httpPort: number, stream: string): Promise<number | undefined> {
  try {
    const url = `http://127.0.0.1:${httpPort}/jsz?streams=1&accounts=1`;
    const response = await fetch(url, { signal: AbortSignal.timeout(httpTimeoutMs) });
    const { account_details: accounts = [] } = (await response.json()) as {
      readonly account_details?: readonly {
        readonly stream_detail?: readonly {
          readonly name: string;
          readonly state: { readonly last_seq: number };
        }[];
      }[];
    };
    const streams = accounts.flatMap(({ stream_detail: details = [] }) => details);
    return streams.find(({ name }) => name === stream)?.state.last_seq;
  } catch {
    return undefined;
  }
}

/** Asks JetStream until its answer will do. */
async function pollApi(
  servers: readonly string[],
  subject: string,
  isGood: (answer: Answer) => boolean,
): Promise<Answer> {
  const { transport, close } = await connectNats({ servers, name: "test" });
  try {
    for (let waitedMs = 0; waitedMs < leaderWithinMs; waitedMs += pollMs) {
      try {
        const { data } = await transport.request(subject, new Uint8Array(), { timeoutMs: 1_000 });
        const answer = JSON.parse(new TextDecoder().decode(data)) as Answer;
        if (isGood(answer)) return answer;
      } catch {
        // No leader yet.
      }
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  } finally {
    await close();
  }
  throw new Error(`${subject} had no answer within ${leaderWithinMs} ms`);
}
