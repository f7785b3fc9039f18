import { toJson } from "@coppice/cluster";
import { escapeToken, type Transport, unescapeToken } from "@coppice/net";
import { GenServer } from "@coppice/otp";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { serviceName } from "../src/micro-service.ts";
import { memoryCluster } from "./cluster.ts";

class Echo extends GenServer {
  echo(value: unknown): unknown {
    return value;
  }
  large(): string {
    return "x".repeat(1_100_000);
  }
}

const strangeNames = ["room", "a.b", "*", ">", "a b", "\0", "😀", "=41", "$SRV", "a#1", "ü"];

async function withNames(
  names: readonly string[],
  limits: { readonly payloadBytesMax?: number } = {},
) {
  const cluster = memoryCluster(limits);
  const a = await cluster.start("a");
  await cluster.start("b");
  await a.start({
    strategy: "one_for_one",
    children: names.map((name) => ({ id: name, name, start: [Echo] as const })),
  });
  return { ...cluster, a };
}

const json = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes));

async function door(transport: Transport, name: string, method: string, body: string | Uint8Array) {
  const data = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const subject = `coppice.v1.test.call.${escapeToken(name)}.${escapeToken(method)}`;
  return json((await transport.request(subject, data, { timeoutMs: 5_000 })).data);
}

/** Everything that is answered to one question, until it has been quiet: the question is asked again until `count` came. */
async function ask(transport: Transport, subject: string, count: number): Promise<Answer[]> {
  const answers: Answer[] = [];
  const inbox = `_INBOX.test.${subject.length}`;
  const { unsubscribe } = transport.subscribe(inbox, ({ data }) => {
    answers.push(json(data) as Answer);
  });
  onTestFinished(unsubscribe);
  transport.publish(subject, new Uint8Array(), { reply: inbox });
  await expect.poll(() => answers.length).toBeGreaterThanOrEqual(count);
  await transport.flush();
  return answers;
}

interface Answer {
  readonly type: string;
  readonly name: string;
  readonly id: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly endpoints: readonly Readonly<Record<string, unknown>>[];
}

describe("the open door", () => {
  test("reaches names of any text, and each name its own process", async () => {
    const { transport } = await withNames(strangeNames);
    for (const name of strangeNames)
      expect(await door(transport, name, "echo", JSON.stringify([name]))).toBe(name);
  });

  test("refuses what is no plain JSON, and answers that are too large, saying why", async () => {
    const { transport } = await withNames(["room"]);
    const deep = `${"[".repeat(100)}${"]".repeat(100)}`;
    for (const [method, body, message] of [
      ["echo", deep, /nests deeper than 64 levels/],
      ["echo", '[{"__proto__": 1}]', /__proto__ is a reserved name/],
      ["echo", "[1", /not JSON/],
      ["echo", '"text"', /must be a JSON array/],
      ["large", "[]", /the answer has 1100002 bytes of at most 1000000/],
    ] as const)
      expect(await door(transport, "room", method, body)).toMatchObject({
        error: { message: expect.stringMatching(message) },
      });
    const text = `["${"[".repeat(1_000)}\\"${"{".repeat(1_000)}"]`;
    expect(await door(transport, "room", "echo", text)).toHaveLength(2_001);
  });

  test("an answer that the network does not carry is told, not lost", async () => {
    const { transport } = await withNames(["room"], { payloadBytesMax: 20_000 });
    expect(await door(transport, "room", "large", "[]")).toMatchObject({
      error: { executed: "maybe", message: expect.stringContaining("of at most 20000: ask for") },
    });
    const almost = "x".repeat(19_000);
    expect(await door(transport, "room", "echo", JSON.stringify([almost]))).toBe(almost);
  });

  test("the escape of names is injective, and makes one token that cannot be a wildcard", () => {
    const name = fc.oneof(
      fc.string({ unit: "binary", maxLength: 20 }),
      fc.constantFrom(...strangeNames),
    );
    fc.assert(
      fc.property(name, (text) => {
        const token = escapeToken(text);
        expect(token).toMatch(/^[A-Za-z0-9_=-]+$/);
        expect(unescapeToken(token)).toBe(text);
      }),
    );
  });

  test("values that JSON lacks have a form", () => {
    const value = { big: 2n ** 70n, small: 1n, bytes: new Uint8Array([1]), map: new Map([[1, 2]]) };
    expect(json(toJson(value))).toEqual({
      big: String(2n ** 70n),
      small: 1,
      bytes: [1],
      map: [[1, 2]],
    });
  });
});

describe("NATS micro services", () => {
  test("PING finds every name once, at its owner", async () => {
    const { transport, a } = await withNames(strangeNames);
    const answers = await ask(transport, "$SRV.PING", strangeNames.length);
    expect(new Set(answers.map(({ metadata }) => metadata["coppice.name"]))).toEqual(
      new Set(strangeNames),
    );
    expect(answers).toHaveLength(strangeNames.length);
    for (const { type, name, id, metadata } of answers) {
      expect(type).toBe("io.nats.micro.v1.ping_response");
      expect(name).toMatch(/^[A-Za-z0-9_-]+$/);
      expect(id).toMatch(new RegExp(`^${a.address.incarnation}`));
      expect(metadata).toMatchObject({ "coppice.node": "a", "coppice.cluster": "test" });
    }
    expect(new Set(answers.map(({ name }) => name)).size).toBe(strangeNames.length);
    expect(new Set(answers.map(({ id }) => id)).size).toBe(strangeNames.length);
  });

  test("INFO of one service tells the subject that calls it; of an unknown one, nobody answers", async () => {
    const { transport } = await withNames(["room", "other"]);
    const [info, ...more] = await ask(transport, "$SRV.INFO.room", 1);
    expect(more).toEqual([]);
    expect(info).toMatchObject({
      type: "io.nats.micro.v1.info_response",
      name: "room",
      version: "1.0.0",
      endpoints: [{ name: "call", subject: "coppice.v1.test.call.room.*", queue_group: "door" }],
    });
    const [again] = await ask(transport, `$SRV.INFO.room.${info!.id}`, 1);
    expect(again).toEqual(info);
    expect(await ask(transport, "$SRV.INFO.nobody", 0)).toEqual([]);
  });

  test("STATS add up to the calls of the door, wherever they were served", async () => {
    const { transport } = await withNames(["room"]);
    for (let call = 0; call < 5; call += 1) await door(transport, "room", "echo", "[1]");
    await door(transport, "room", "nothing", "[]");
    const answers = await ask(transport, "$SRV.STATS.room", 2);
    const sum = (field: string): number =>
      answers
        .flatMap(({ endpoints }) => endpoints)
        .reduce((total, endpoint) => total + Number(endpoint[field]), 0);
    expect([sum("num_requests"), sum("num_errors")]).toEqual([6, 1]);
    for (const answer of answers)
      expect(answer).toMatchObject({
        type: "io.nats.micro.v1.stats_response",
        started: expect.stringMatching(/^\d{4}-/),
        endpoints: [{ average_processing_time: expect.any(Number) }],
      });
  });

  test("two names are two services", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, other) => {
        expect(serviceName(one)).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(serviceName(one) === serviceName(other)).toBe(one === other);
      }),
    );
  });
});
