/**
 * Named processes as NATS micro services: `nats micro ls`, `info` and `stats` find them.
 *
 * A name is a service; its instance is the node that owns it, which answers `PING` and `INFO`. `STATS` is answered by every node
 * whose open door has served calls of the name, with its own count.
 *
 * Source: NATS ADR-32, Service API, https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-32.md
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { NodeAddress } from "@coppice/kernel";
import type { Subjects, Subscription, Transport } from "@coppice/net";
import type { DoorStats } from "./door-stats.ts";
import type { NameEntry } from "./names.ts";
import { doorQueue } from "./open-door.ts";

/** The most services one node tells of to a question that names none. */
export const servicesMax = 1_000;
/** The version every service says it has: names have none of their own. */
const version = "1.0.0";
const root = "$SRV";
const verbs = ["PING", "INFO", "STATS"] as const;
type Verb = (typeof verbs)[number];

/** What the answers are made from. */
export interface MicroSource {
  readonly self: NodeAddress;
  readonly cluster: string;
  readonly subjects: Subjects;
  readonly stats: DoorStats;
  /** The names this node owns. */
  readonly owned: () => Iterable<NameEntry>;
}

/** Answers questions to all services, to those of a name, and to one instance. */
export function serveMicro(source: MicroSource, transport: Transport): Subscription {
  const subscriptions = verbs.flatMap((verb) =>
    [`${root}.${verb}`, `${root}.${verb}.>`].map((pattern) =>
      transport.subscribe(pattern, ({ subject, reply }) => {
        if (reply === undefined) return;
        const [, , name, id] = subject.split(".");
        for (const answer of answers(source, verb, name, id))
          transport.publish(reply, Buffer.from(JSON.stringify(answer)));
      }),
    ),
  );
  return { unsubscribe: () => subscriptions.forEach(({ unsubscribe }) => unsubscribe()) };
}

function answers(
  source: MicroSource,
  verb: Verb,
  name: string | undefined,
  id: string | undefined,
): object[] {
  const found: object[] = [];
  for (const entry of entriesFor(source, verb)) {
    const identity = identify(source, entry);
    if (name !== undefined && identity.name !== name) continue;
    if (id !== undefined && identity.id !== id) continue;
    found.push(answer(source, verb, entry.name, identity));
    if (found.length === servicesMax) break;
  }
  return found;
}

interface ServiceName {
  readonly name: string;
  /** Nothing if this node does not own it. */
  readonly epoch?: number;
}

function* entriesFor({ owned, stats }: MicroSource, verb: Verb): Generator<ServiceName> {
  const told = new Set<string>();
  for (const entry of owned()) {
    told.add(entry.name);
    yield entry;
  }
  if (verb === "STATS") for (const name of stats.names()) if (!told.has(name)) yield { name };
}

interface Identity {
  readonly name: string;
  readonly id: string;
  readonly version: string;
  readonly metadata: Readonly<Record<string, string>>;
}

function identify({ self, cluster }: MicroSource, { name, epoch }: ServiceName): Identity {
  return {
    name: serviceName(name),
    id: `${self.incarnation}${hash(`${cluster} ${name}`)}`,
    version,
    metadata: {
      "coppice.cluster": cluster,
      "coppice.name": name,
      "coppice.node": self.node,
      ...(epoch === undefined ? {} : { "coppice.epoch": String(epoch) }),
    },
  };
}

function answer(
  { subjects, stats }: MicroSource,
  verb: Verb,
  name: string,
  identity: Identity,
): object {
  const subject = `${subjects.call(name, "x").slice(0, -1)}*`;
  const endpoint = { name: "call", subject, queue_group: doorQueue };
  switch (verb) {
    case "PING":
      return { type: "io.nats.micro.v1.ping_response", ...identity };
    case "INFO":
      return {
        type: "io.nats.micro.v1.info_response",
        ...identity,
        description: `the process ${name}: a JSON array of arguments in, JSON out`,
        endpoints: [{ ...endpoint, metadata: {} }],
      };
    case "STATS": {
      const { requests, errors, lastError, processingMs } = stats.of(name);
      const nanoseconds = Math.round(processingMs * 1e6);
      return {
        type: "io.nats.micro.v1.stats_response",
        ...identity,
        started: new Date(stats.startedMs).toISOString(),
        endpoints: [
          {
            ...endpoint,
            num_requests: requests,
            num_errors: errors,
            last_error: lastError,
            processing_time: nanoseconds,
            average_processing_time: requests === 0 ? 0 : Math.round(nanoseconds / requests),
          },
        ],
      };
    }
  }
}

/**
 * Service names are letters, digits, `-` and `_`. A name of others is written with `_` for each, and a hash of the whole, so
 * that two names are two services.
 */
export function serviceName(name: string): string {
  if (/^[A-Za-z0-9_-]+$/.test(name)) return name;
  return `${name.replaceAll(/[^A-Za-z0-9_-]/g, "_").slice(0, 100)}-${hash(name)}`;
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}
