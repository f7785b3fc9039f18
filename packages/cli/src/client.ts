/**
 * The command's connection to a cluster: questions to any node, or to one.
 *
 * @module
 */
import type {
  AdminAnswer,
  AdminRequest,
  DrainResult,
  NameRow,
  NodeRow,
  ProcessRow,
} from "@coppice/cluster";
import { CallError } from "@coppice/kernel";
import {
  decode,
  encode,
  NoRespondersError,
  RequestTimeoutError,
  Subjects,
  type Transport,
} from "@coppice/net";
import { connectNats } from "@coppice/net-nats";
import type { Config } from "./config.ts";
import { NoClusterError } from "./exit-codes.ts";

/** How much longer than the call itself the command waits for the node's answer, in milliseconds. */
const answerMarginMs = 500;
/** The least a drain is waited for, in milliseconds: processes answer what they have before they move. */
const drainTimeoutMsMin = 60_000;

/** Connects, runs, and closes again. @throws {NatsUnreachableError} {NoClusterError} {CallError} */
export async function withCluster<T>(
  config: Config,
  run: (client: ClusterClient) => Promise<T>,
): Promise<T> {
  const { servers, timeoutMs, access } = config;
  const nats = await connectNats({ ...access, servers, name: "coppice command", timeoutMs });
  try {
    return await run(new ClusterClient(config, nats.transport));
  } finally {
    await nats.close();
  }
}

export class ClusterClient {
  readonly #config: Config;
  readonly #transport: Transport;
  readonly #subjects: Subjects;
  /** The node that answered first: it is asked everything that any node can tell. */
  #helper: Promise<string> | undefined;

  constructor(config: Config, transport: Transport) {
    this.#config = config;
    this.#transport = transport;
    this.#subjects = new Subjects(config.cluster);
  }

  async nodes(): Promise<readonly NodeRow[]> {
    return (await this.#ask({ type: "nodes" })) as NodeRow[];
  }

  async names(): Promise<readonly NameRow[]> {
    return (await this.#ask({ type: "names" })) as NameRow[];
  }

  /** The processes of one node. */
  async processes(node: string): Promise<readonly ProcessRow[]> {
    return (await this.#ask({ type: "ps" }, node)) as ProcessRow[];
  }

  call(name: string, method: string, args: readonly unknown[]): Promise<unknown> {
    const { timeoutMs } = this.#config;
    return this.#ask({ type: "call", name, method, args, timeoutMs });
  }

  /** Kills a named process, wherever it lives. Returns its pid. */
  async kill(name: string): Promise<string> {
    return (await this.#ask({ type: "kill", name })) as string;
  }

  /** Hands everything a node owns to others. Waits until that is done, at least a minute. */
  async drain(node: string): Promise<DrainResult> {
    const subject = this.#subjects.admin(node);
    const timeoutMs = Math.max(drainTimeoutMsMin, this.#config.timeoutMs);
    return (await this.#request(
      subject,
      `node ${node}`,
      { type: "drain" },
      timeoutMs,
    )) as DrainResult;
  }

  async #ask(request: AdminRequest, node?: string): Promise<unknown> {
    const { cluster } = this.#config;
    if (node !== undefined)
      return this.#request(this.#subjects.admin(node), `node ${node}`, request);
    this.#helper ??= this.#request(this.#subjects.anyAdmin, `a node of cluster ${cluster}`, {
      type: "hello",
    }) as Promise<string>;
    const helper = await this.#helper;
    return this.#request(this.#subjects.admin(helper), `node ${helper}`, request);
  }

  async #request(
    subject: string,
    who: string,
    request: AdminRequest,
    timeoutMs = this.#config.timeoutMs,
  ): Promise<unknown> {
    const { servers } = this.#config;
    let answer: AdminAnswer;
    try {
      const options = { timeoutMs: timeoutMs + answerMarginMs };
      const { data } = await this.#transport.request(subject, encode(request), options);
      answer = decode(data) as AdminAnswer;
    } catch (cause) {
      if (cause instanceof NoRespondersError)
        throw new NoClusterError(
          `${who} is not running at ${servers.join(", ")}: start one, or name another cluster (--cluster)`,
          { cause },
        );
      if (cause instanceof RequestTimeoutError)
        throw new NoClusterError(`${who} does not answer within ${timeoutMs} ms: try again`, {
          cause,
        });
      throw cause;
    }
    if (answer.ok) return answer.value;
    throw new CallError(answer.failure);
  }
}
