/**
 * What every transport does, as tests: run against each implementation.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import {
  type Message,
  NoRespondersError,
  partedBytesMax,
  PayloadTooLargeError,
  RequestTimeoutError,
  type Transport,
} from "@coppice/net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

/** A network under test. */
export interface NetworkUnderTest {
  readonly connect: () => Promise<Transport>;
  readonly stop: () => Promise<void>;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (message: Message): string => new TextDecoder().decode(message.data);
const timeoutMs = 5_000;

/** Declares the tests. `start` runs once, before them. */
export function describeTransport(name: string, start: () => Promise<NetworkUnderTest>): void {
  describe(`${name}: the transport contract`, () => {
    let network: NetworkUnderTest;
    let a: Transport;
    let b: Transport;
    let subjects = 0;
    const subject = (): string => `test.${(subjects += 1)}`;

    beforeAll(async () => {
      network = await start();
      a = await network.connect();
      b = await network.connect();
    });

    afterAll(async () => {
      await a.close();
      await b.close();
      await network.stop();
    });

    /** Collects what arrives until there is as much as asked for. */
    async function collect(to: Transport, pattern: string, count: number, queue?: string) {
      const got: string[] = [];
      const all = Promise.withResolvers<string[]>();
      const options = queue === undefined ? {} : { queue };
      const { unsubscribe } = to.subscribe(
        pattern,
        (message) => {
          got.push(text(message));
          if (got.length === count) all.resolve(got);
        },
        options,
      );
      await to.flush();
      return { got, all: all.promise, unsubscribe };
    }

    test("messages of one publisher arrive in order", async () => {
      const to = subject();
      const { all } = await collect(b, to, 1_000);
      for (let index = 0; index < 1_000; index += 1) a.publish(to, bytes(String(index)));
      expect(await all).toEqual(Array.from({ length: 1_000 }, (_, index) => String(index)));
    });

    test("wildcards match as in NATS", async () => {
      const root = subject();
      const one = await collect(b, `${root}.*`, 1);
      const rest = await collect(b, `${root}.>`, 2);
      a.publish(`${root}.x.y`, bytes("deep"));
      a.publish(`${root}.x`, bytes("flat"));
      expect(await rest.all).toEqual(["deep", "flat"]);
      expect(await one.all).toEqual(["flat"]);
    });

    test("members of a queue share the messages", async () => {
      const to = subject();
      const got: string[] = [];
      const all = Promise.withResolvers<void>();
      for (const member of [a, b, b])
        member.subscribe(
          to,
          (message) => {
            if (got.push(text(message)) === 20) all.resolve();
          },
          { queue: "workers" },
        );
      await a.flush();
      await b.flush();
      for (let index = 0; index < 20; index += 1) a.publish(to, bytes(String(index)));
      await all.promise;
      expect(new Set(got).size).toBe(20);
    });

    test("a request gets the first answer, with its bytes as sent", async () => {
      const to = subject();
      b.subscribe(to, ({ data, reply }) => b.publish(reply!, data));
      await b.flush();
      const data = Uint8Array.from({ length: 256 }, (_, byte) => byte);
      const answer = await a.request(to, data, { timeoutMs });
      expect([...answer.data]).toEqual([...data]);
    });

    test("a request that nobody listens to fails at once", async () => {
      await expect(a.request(subject(), bytes(""), { timeoutMs })).rejects.toThrow(
        NoRespondersError,
      );
    });

    test("a request that is not answered times out", async () => {
      const to = subject();
      b.subscribe(to, () => {});
      await b.flush();
      await expect(a.request(to, bytes(""), { timeoutMs: 20 })).rejects.toThrow(
        RequestTimeoutError,
      );
    });

    test("a subscriber that throws is reported and breaks nothing", async () => {
      const to = subject();
      const reported: string[] = [];
      const both = new Promise<void>((resolve) => {
        b.onStatus((status) => {
          if (status.type === "error") reported.push(status.error.message);
          if (reported.length === 4) resolve();
        });
      });
      b.subscribe(to, () => {
        throw new Error("bad subscriber");
      });
      b.subscribe(to, async () => {
        throw new Error("bad promise");
      });
      const { all } = await collect(b, to, 2);
      a.publish(to, bytes("1"));
      a.publish(to, bytes("2"));
      await both;
      expect(new Set(reported)).toEqual(new Set(["bad subscriber", "bad promise"]));
      expect(await all).toEqual(["1", "2"]);
    });

    test("nothing arrives after unsubscribe", async () => {
      const to = subject();
      const first = await collect(b, to, 1);
      const second = await collect(b, to, 2);
      a.publish(to, bytes("1"));
      await first.all;
      first.unsubscribe();
      await b.flush();
      a.publish(to, bytes("2"));
      await second.all;
      expect(first.got).toEqual(["1"]);
    });

    test("a message above the limit is refused in words, and crosses in parts, in its place", async () => {
      const to = subject();
      const large = new Uint8Array(a.payloadBytesMax * 2 + 17);
      for (let index = 0; index < large.length; index += 1) large[index] = (index * 31) % 251;
      expect(() => a.publish(to, large)).toThrow(PayloadTooLargeError);
      await expect(a.request(to, large, { timeoutMs })).rejects.toThrow(PayloadTooLargeError);
      expect(() => a.publish(to, new Uint8Array(partedBytesMax + 1), { inParts: true })).toThrow(
        PayloadTooLargeError,
      );
      const got: Uint8Array[] = [];
      const all = Promise.withResolvers<void>();
      b.subscribe(to, ({ data }) => {
        if (got.push(data.slice()) === 4) all.resolve();
      });
      await b.flush();
      a.publish(to, bytes("before"), { inParts: true });
      a.publish(to, large, { inParts: true });
      a.publish(to, large, { inParts: true });
      a.publish(to, bytes("after"));
      await all.promise;
      const equal = got.map((data) => Buffer.compare(data, large) === 0);
      expect(equal).toEqual([false, true, true, false]);
    });

    test("a closed transport says so", async () => {
      const other = await network.connect();
      const closed = new Promise<void>((resolve) => {
        other.onStatus((status) => status.type === "closed" && resolve());
      });
      await other.close();
      await closed;
      expect(other.connected).toBe(false);
      await expect(other.request(subject(), bytes(""), { timeoutMs })).rejects.toMatchObject({
        code: "transport_closed",
      });
    });
  });
}
