/**
 * P1: broadcasts of one publisher and topic arrive at most once and in order, and what is missing was reported.
 *
 * @module
 */
import type { DeliveryEvent, GapEvent, HistoryEvent } from "../history.ts";
import { type OnViolation, RecentMap, type StreamCheck } from "./stream-check.ts";

interface Stream {
  last: DeliveryEvent;
}

const rememberedMax = 50_000;

export class TopicChecks implements StreamCheck {
  readonly #violate: OnViolation;
  /** By subscriber, publisher and topic. */
  readonly #streams = new RecentMap<string, Stream>(rememberedMax);
  /** What was reported since the last delivery, by subscriber, publishing node and topic. */
  readonly #reported = new RecentMap<string, GapEvent[]>(rememberedMax);
  /** The highest number published, by publisher and topic. */
  readonly #published = new RecentMap<string, number>(rememberedMax);

  constructor(violate: OnViolation) {
    this.#violate = violate;
  }

  take(event: HistoryEvent): void {
    if (event.type === "delivery") this.#delivered(event);
    else if (event.type === "publish")
      this.#published.set(`${event.publisher} ${event.topic}`, event.number);
    else if (event.type === "gap") {
      const key = reportKey(event);
      this.#reported.set(key, [...(this.#reported.get(key) ?? []), event]);
    }
  }

  #delivered(event: DeliveryEvent): void {
    const { subscriber, publisher, topic, number } = event;
    const key = `${subscriber} ${publisher} ${topic}`;
    const stream = this.#streams.get(key);
    const gaps = this.#reportsFor(event);
    if (stream === undefined) {
      this.#streams.set(key, { last: event });
      return;
    }
    const { last } = stream;
    const missing = number - last.number - 1;
    const reported = gaps.reduce((sum, { missed }) => sum + missed, 0);
    if (missing < 0)
      this.#violate({
        promise: "P1",
        message: `${subscriber} got number ${number} of ${publisher} on ${topic} after ${last.number}`,
        events: [last, event],
      });
    else if (missing > reported)
      this.#violate({
        promise: "P1",
        message: `${subscriber} missed ${missing} of ${publisher} on ${topic} before number ${number}, and was told of ${reported}`,
        events: [last, ...gaps, event],
      });
    if (missing >= 0) stream.last = event;
  }

  /** What was reported to the subscriber of the publisher's node, or of nobody in particular, since its last delivery. */
  #reportsFor(event: DeliveryEvent): GapEvent[] {
    const key = reportKey(event);
    const own = this.#reported.get(key) ?? [];
    if (own.length > 0) this.#reported.delete(key);
    return [...own, ...(this.#reported.get(reportKey({ ...event, publisher: "*" })) ?? [])];
  }
}

/** A report names a node: its life is not always known. */
function reportKey({
  subscriber,
  publisher,
  topic,
}: Pick<GapEvent, "subscriber" | "publisher" | "topic">): string {
  return `${subscriber} ${publisher.split("/")[0]!} ${topic}`;
}
