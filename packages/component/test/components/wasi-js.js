// A guest that uses WASI's clocks and randomness directly, and wasi:http through `fetch`: one command a call.
import { now, subscribeDuration } from "wasi:clocks/monotonic-clock@0.2.12";
import { getRandomU64 } from "wasi:random/random@0.2.12";
import { poll } from "wasi:io/poll@0.2.12";

const errorOf = (thrown) =>
  String(thrown?.payload?.tag ?? thrown?.payload ?? thrown?.message ?? thrown);

const ops = {
  async fetch({ url, method, body, headers }) {
    const response = await fetch(url, { method, body, headers, redirect: "manual" });
    const all = {};
    for (const [name, value] of response.headers) all[name] = value;
    return { status: response.status, headers: all, body: await response.text() };
  },
  /** Begins requests and lets them all run at once. */
  async fetchMany({ urls }) {
    const text = async (url) => (await fetch(url)).text();
    return Promise.all(urls.map((url) => text(url).catch(errorOf)));
  },
  /** How long two waits take, of which the shorter counts. */
  wait({ ms }) {
    const before = now();
    const ready = poll([
      subscribeDuration(3_600_000_000_000n),
      subscribeDuration(BigInt(ms) * 1_000_000n),
    ]);
    return { ready: [...ready], ms: Number((now() - before) / 1_000_000n) };
  },
  random() {
    return getRandomU64().toString();
  },
  /** Takes handles until it may not. */
  hoard({ count }) {
    const held = [];
    for (let left = count; left > 0; left -= 1) held.push(subscribeDuration(1_000_000n));
    return held.length;
  },
  async timers({ ms }) {
    const order = [];
    await Promise.all(
      [ms * 2, ms].map(
        (each) => new Promise((done) => setTimeout(() => done(order.push(each)), each)),
      ),
    );
    return order;
  },
};

export async function run(command) {
  const { op, ...options } = JSON.parse(command);
  try {
    return JSON.stringify((await ops[op](options)) ?? null);
  } catch (thrown) {
    return JSON.stringify({ error: errorOf(thrown) });
  }
}
