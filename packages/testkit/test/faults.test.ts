import { seededRandom } from "@coppice/kernel";
import {
  type Change,
  MemoryNetwork,
  MemoryStore,
  RequestTimeoutError,
  StoreUnavailableError,
} from "@coppice/net";
import { faultyStore, faultyTransport, simulatedClock } from "@coppice/testkit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function network(seed = 1) {
  const clock = simulatedClock();
  const random = seededRandom(seed);
  const bus = new MemoryNetwork({ clock });
  const connect = () => faultyTransport(bus.connect(), { clock, random });
  const collect = (to: ReturnType<typeof connect>) => {
    const got: string[] = [];
    to.subscribe("x", ({ data }) => got.push(new TextDecoder().decode(data)));
    return got;
  };
  return { clock, connect, collect };
}

describe("a faulty transport", () => {
  test("keeps the order of one connection, and not between connections", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (seed) => {
        const { clock, connect, collect } = network(seed);
        const [a, b, c] = [connect(), connect(), connect()];
        a.setOut({ delayMs: [0, 50] });
        b.setOut({ delayMs: [0, 50] });
        const got = collect(c);
        for (let index = 10; index < 20; index += 1)
          for (const [name, from] of Object.entries({ a, b }))
            from.publish("x", bytes(name + index));
        await clock.advance(100);
        const of = (name: string) => got.filter((each) => each.startsWith(name));
        expect(got).toHaveLength(20);
        for (const name of ["a", "b"]) expect(of(name)).toEqual(of(name).toSorted());
      }),
      { numRuns: 20 },
    );
  });

  test("loses and doubles the share it is told, the same for the same seed", async () => {
    const run = async (): Promise<string[]> => {
      const { clock, connect, collect } = network(7);
      const [a, b] = [connect(), connect()];
      a.setOut({ loss: 0.3 });
      b.setIn({ duplicates: 0.3 });
      const got = collect(b);
      for (let index = 0; index < 1_000; index += 1) a.publish("x", bytes(String(index)));
      await clock.advance(1);
      return got;
    };
    const got = await run();
    expect(new Set(got).size).toBeGreaterThan(600);
    expect(new Set(got).size).toBeLessThan(800);
    expect(got.length - new Set(got).size).toBeGreaterThan(100);
    expect(await run()).toEqual(got);
  });

  test("cut in one direction hears and is not heard, and nobody is told", async () => {
    const { clock, connect, collect } = network();
    const [a, b] = [connect(), connect()];
    const [gotA, gotB] = [collect(a), collect(b)];
    a.setOut({ cut: true });
    a.publish("x", bytes("from a"));
    b.publish("x", bytes("from b"));
    const asked = a.request("nobody", bytes(""), { timeoutMs: 100 });
    const refused = expect(asked).rejects.toThrow(RequestTimeoutError);
    await clock.advance(100);
    await refused;
    expect([a.connected, gotA, gotB]).toEqual([true, ["from b"], ["from b"]]);
    a.setOut({ cut: false });
    a.publish("x", bytes("again"));
    await clock.advance(1);
    expect(gotB).toEqual(["from b", "again"]);
  });
});

describe("a faulty store", () => {
  function stores(seed = 1) {
    const clock = simulatedClock();
    const random = seededRandom(seed);
    const inner = new MemoryStore({ clock });
    return { clock, inner, store: faultyStore(inner, { clock, random }) };
  }

  test("that is unavailable writes nothing; its watch goes on with what it missed", async () => {
    const { clock, inner, store } = stores();
    const changes: Change[] = [];
    await store.watch((change) => changes.push(change));
    store.set({ unavailable: true });
    await expect(store.create("a", bytes("1"))).rejects.toThrow(StoreUnavailableError);
    await expect(store.get("a")).rejects.toThrow(StoreUnavailableError);
    await inner.create("a", bytes("2"));
    await inner.create("b", bytes("3"));
    await clock.advance(1);
    expect(changes).toEqual([]);
    store.set({ unavailable: false });
    expect(changes.map(({ key }) => key)).toEqual(["a", "b"]);
  });

  test("that loses an answer has made the write", async () => {
    const { inner, store } = stores();
    store.set({ lostAcks: 1 });
    await expect(store.create("a", bytes("1"))).rejects.toThrow(StoreUnavailableError);
    expect(await inner.get("a")).toBeDefined();
  });

  test("that reads stale answers what it answered before", async () => {
    const { inner, store } = stores();
    const revision = await inner.create("a", bytes("1"));
    await store.get("a");
    await inner.update("a", bytes("2"), revision);
    store.set({ staleReads: 1 });
    expect((await store.get("a"))?.revision).toBe(revision);
    store.set({ staleReads: 0 });
    expect((await store.get("a"))?.revision).toBeGreaterThan(revision);
  });
});
