/**
 * P1, in time: what a subscriber misses is reported within a second from when its node could know.
 *
 * A network that is cut cannot report. The time counts from when the subscriber's node hears, on any topic, something that
 * the publisher sent after what is missing: then the way between the two is whole again. It counts anew when that is in
 * doubt: after a fault of either node or of what both need, after a silence of the publisher, after another gap.
 *
 * @module
 */
import type { DeliveryEvent, GapEvent, HistoryEvent, PublishEvent } from "../history.ts";
import { FaultWindows } from "./fault-windows.ts";
import { type OnViolation, RecentMap, type StreamCheck } from "./stream-check.ts";

/** How long a report may take from when the subscriber's node could know, in milliseconds. */
export const gapReportMsMax = 1_000;
/** A publisher that is not heard for longer may be cut off, in milliseconds. */
const silenceMsMax = 250;
const rememberedMax = 50_000;

/** What one subscriber has of one publisher and topic. */
interface Stream {
  readonly subscriber: string;
  readonly topic: string;
  /** The last number that it got or was told that it missed. */
  accounted: number;
  /** Since when the node could know that the next number is missing. */
  dueSince: DeliveryEvent | undefined;
  /** The {@link dueSince} of which it has been said that it was too long ago. */
  saidOf: DeliveryEvent | undefined;
}

/** From one life of a publishing node to one life of a node with subscribers. */
interface Path {
  readonly publisher: string;
  readonly nodes: readonly [from: string, to: string];
  readonly streams: Map<string, Stream>;
  heardMs: number;
}

/** One broadcast among all of its publisher. */
interface Sent {
  readonly order: number;
  readonly atMs: number;
}

export class GapReportChecks implements StreamCheck {
  readonly #violate: OnViolation;
  readonly #paths = new Map<string, Path>();
  readonly #pathsOf = new Map<string, Set<Path>>();
  readonly #sent = new RecentMap<string, Sent>(rememberedMax);
  /** How many broadcasts each publisher has sent. */
  readonly #counts = new Map<string, number>();
  readonly #faults = new FaultWindows();
  /** How long each report took from when the node could know: nothing, if what showed the gap was the first that it heard. */
  readonly tookMs: number[] = [];
  /** How long each report came after the first of what is missing was sent: that includes the time without a way. */
  readonly sinceSentMs: number[] = [];

  constructor(violate: OnViolation) {
    this.#violate = violate;
  }

  take(event: HistoryEvent): void {
    switch (event.type) {
      case "publish":
        this.#published(event);
        break;
      case "delivery":
        this.#delivered(event);
        break;
      case "gap":
        this.#reported(event);
        break;
      case "fault":
        this.#faults.take(event);
        break;
      case "end":
        this.#forget(event.pid);
        break;
      default:
    }
  }

  #published(event: PublishEvent): void {
    const { publisher, number, atMs } = event;
    const order = (this.#counts.get(publisher) ?? 0) + 1;
    this.#counts.set(publisher, order);
    this.#sent.set(sentKey(event, number), { order, atMs });
    this.#faults.isNode(nodeOf(publisher));
  }

  #delivered(event: DeliveryEvent): void {
    const { atMs, number } = event;
    const path = this.#pathOf(event);
    if (atMs - path.heardMs > silenceMsMax) countAnew(path);
    path.heardMs = atMs;
    const key = streamKey(event);
    const stream = path.streams.get(key);
    if (stream === undefined) {
      const { subscriber, topic } = event;
      path.streams.set(key, {
        subscriber,
        topic,
        accounted: number,
        dueSince: undefined,
        saidOf: undefined,
      });
    } else if (number > stream.accounted) {
      if (number > stream.accounted + 1) countAnew(path);
      stream.accounted = number;
      stream.dueSince = undefined;
    }
    this.#heard(path, event);
  }

  /** What was sent before this is here, or is missing. */
  #heard(path: Path, event: DeliveryEvent): void {
    const sent = this.#sent.get(sentKey(event, event.number));
    const faultyUntilMs = this.#faults.untilMs(...path.nodes);
    if (sent === undefined || sent.atMs <= faultyUntilMs) return;
    for (const stream of path.streams.values()) {
      const { dueSince } = stream;
      if (dueSince !== undefined && dueSince.atMs > faultyUntilMs) {
        this.#judge(path, stream, event);
        continue;
      }
      const next = this.#sent.get(sentKey({ ...path, ...stream }, stream.accounted + 1));
      stream.dueSince = next !== undefined && next.order < sent.order ? event : undefined;
    }
  }

  #reported(event: GapEvent): void {
    if (event.publisher === "*") {
      this.#forget(event.subscriber); // It was too slow, and of whom something is missing is not said.
      return;
    }
    const path = this.#paths.get(pathKey(event));
    const stream = path?.streams.get(streamKey(event));
    if (path === undefined || stream === undefined) return;
    const { dueSince } = stream;
    const isDue = dueSince !== undefined && dueSince.atMs > this.#faults.untilMs(...path.nodes);
    this.tookMs.push(isDue ? event.atMs - dueSince.atMs : 0);
    const first = this.#sent.get(sentKey(event, stream.accounted + 1));
    if (first !== undefined) this.sinceSentMs.push(event.atMs - first.atMs);
    if (isDue) this.#judge(path, stream, event);
    countAnew(path);
    stream.accounted += event.missed;
  }

  #judge({ publisher }: Path, stream: Stream, event: DeliveryEvent | GapEvent): void {
    const { subscriber, topic, accounted, dueSince } = stream;
    if (dueSince === undefined || stream.saidOf === dueSince) return;
    if (event.atMs - dueSince.atMs <= gapReportMsMax) return;
    stream.saidOf = dueSince;
    const is = event.type === "gap" ? "was told only" : "was not told";
    this.#violate({
      promise: "P1",
      message: `${subscriber} ${is} at ${event.atMs} ms that it missed number ${accounted + 1} of ${publisher} on ${topic}, which its node could know at ${dueSince.atMs} ms`,
      events: [dueSince, event],
    });
  }

  #pathOf(event: DeliveryEvent): Path {
    const { subscriber, publisher, atMs } = event;
    const key = pathKey(event);
    let path = this.#paths.get(key);
    if (path === undefined) {
      const nodes = [nodeOf(publisher), nodeOf(subscriber)] as const;
      path = { publisher, nodes, streams: new Map(), heardMs: atMs };
      this.#paths.set(key, path);
    }
    this.#pathsOf.set(subscriber, (this.#pathsOf.get(subscriber) ?? new Set()).add(path));
    return path;
  }

  /** The subscriber has ended, or nobody knows what it has. */
  #forget(subscriber: string): void {
    for (const path of this.#pathsOf.get(subscriber) ?? []) {
      for (const [key, stream] of path.streams)
        if (stream.subscriber === subscriber) path.streams.delete(key);
      if (path.streams.size === 0) this.#paths.delete(pathKey({ subscriber, ...path }));
    }
    this.#pathsOf.delete(subscriber);
  }
}

function countAnew({ streams }: Path): void {
  for (const stream of streams.values()) stream.dueSince = undefined;
}

function sentKey(
  { publisher, topic }: Pick<GapEvent, "publisher" | "topic">,
  number: number,
): string {
  return `${publisher} ${topic} ${number}`;
}

function streamKey({ subscriber, topic }: Pick<GapEvent, "subscriber" | "topic">): string {
  return `${subscriber} ${topic}`;
}

/** A subscriber is a printed pid: what stands before the last dot is the life of its node. Others share a node with nobody. */
function pathKey({ publisher, subscriber }: Pick<GapEvent, "publisher" | "subscriber">): string {
  const dot = subscriber.lastIndexOf(".");
  return `${publisher} ${dot < 0 ? subscriber : subscriber.slice(0, dot)}`;
}

/** Names of nodes have no dots here. */
function nodeOf(lifeOrPid: string): string {
  return lifeOrPid.split(/[./]/)[0]!;
}
