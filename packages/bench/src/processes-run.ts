/**
 * The work of `processes.ts` on a kernel of this program: started by it with `--expose-gc`, prints one line a figure.
 *
 * @module
 */
import { GenServer, ServerRef, startGenServer, startSupervisor, stopGenServer } from "@coppice/otp";
import { Kernel, kill, seededRandom, silentLogger, systemClock } from "@coppice/kernel";
import { ServiceBroker } from "moleculer";
import { percentile } from "@coppice/testkit";

const rounds = 5;
const collect = (globalThis as { gc?: () => void }).gc ?? ((): void => {});

const kernel = new Kernel({
  node: "bench",
  incarnation: "1",
  clock: systemClock,
  random: seededRandom(1),
  logger: silentLogger,
});

class Echo extends GenServer {
  count = 0;
  echo(value: unknown): unknown {
    return value;
  }
  note(_value: unknown): void {
    this.count += 1;
  }
}

function print(name: string, value: number): void {
  process.stdout.write(`${name} ${value.toFixed(3)}\n`);
}

async function rate(name: string, count: number, work: () => Promise<void>): Promise<void> {
  let bestMs = Infinity;
  for (let round = 0; round < rounds; round += 1) {
    collect();
    const fromMs = performance.now();
    await work();
    bestMs = Math.min(bestMs, performance.now() - fromMs);
  }
  print(name, (count / bestMs) * 1_000);
}

const started = await startGenServer(kernel, new Echo());
if (started.type !== "started") throw new Error("the server did not start");
const echo = new ServerRef<Echo>(kernel, started.pid);

const broker = new ServiceBroker({ logger: false });
broker.createService({ name: "echo", actions: { run: (context) => context.params } });
await broker.start();

async function calls(count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1) await echo.call("echo", ["x"]);
}

/** A peer in JavaScript: a call of a service in the same program. */
async function moleculerCalls(count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1) await broker.call("echo.run", ["x"]);
}

/** In portions, as a bounded mailbox takes them. */
async function sends(count: number): Promise<void> {
  let left = 1_000;
  let portion = Promise.withResolvers<void>();
  const counter = kernel.spawn({
    handle: () => {
      left -= 1;
      if (left === 0) portion.resolve();
    },
  });
  for (let sent = 0; sent < count; sent += 1_000) {
    left = 1_000;
    portion = Promise.withResolvers<void>();
    for (let each = 1_000; each > 0; each -= 1) kernel.send(counter, ["msg", each]);
    await portion.promise;
  }
  kernel.exit(counter, kill);
}

async function casts(count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += 1_000) {
    for (let each = 1_000; each > 0; each -= 1) echo.cast("note", [each]);
    await echo.call("echo", ["x"]);
  }
}

async function spawns(count: number): Promise<void> {
  for (let spawned = 0; spawned < count; spawned += 1_000) {
    for (let each = 999; each > 0; each -= 1) kernel.spawn(() => {});
    const last = Promise.withResolvers<void>();
    kernel.spawn(() => last.resolve());
    await last.promise;
  }
}

async function starts(count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1) {
    const result = await startGenServer(kernel, new Echo());
    if (result.type !== "started") throw new Error("a server did not start");
    const down = Promise.withResolvers<unknown>();
    kernel.monitor(result.pid, down.resolve);
    await stopGenServer(kernel, result.pid);
    await down.promise;
  }
}

/** From the kill until the new process runs, under the old one's name. */
async function restarts(count: number): Promise<void> {
  let born = Promise.withResolvers<void>();
  class Phoenix extends Echo {
    override init(): void {
      born.resolve();
    }
  }
  await startSupervisor(kernel, {
    strategy: "one_for_one",
    maxRestarts: 1_000_000,
    maxSeconds: 1,
    children: [{ id: "phoenix", name: "phoenix", start: [Phoenix] }],
  });
  const samples: number[] = [];
  for (let left = count; left > 0; left -= 1) {
    const old = kernel.whereis("phoenix")!;
    born = Promise.withResolvers();
    const fromMs = performance.now();
    kernel.exit(old, kill);
    await born.promise;
    samples.push((performance.now() - fromMs) * 1_000);
    await kernel.call("phoenix", "echo", [1]);
  }
  print("restart_us", percentile(samples, 0.5));
}

async function idle(count: number): Promise<void> {
  collect();
  const before = process.memoryUsage();
  const first = kernel.processCount;
  for (let left = count; left > 0; left -= 1) kernel.spawn({ handle: () => {} });
  await allRan();
  collect();
  const after = process.memoryUsage();
  print("idle_bytes", (after.heapUsed - before.heapUsed) / count);
  print("idle_rss_bytes", (after.rss - before.rss) / count);
  print("call_one_client_among_a_million", await callRate());
  if (kernel.processCount !== first + count) throw new Error("processes are missing");
}

/** The last of them runs when all before it have. */
async function allRan(): Promise<void> {
  const last = Promise.withResolvers<void>();
  kernel.spawn(() => last.resolve());
  return last.promise;
}

async function callRate(): Promise<number> {
  let best = 0;
  for (let round = 0; round < rounds; round += 1) {
    const fromMs = performance.now();
    await calls(100_000);
    best = Math.max(best, 100_000 / ((performance.now() - fromMs) / 1_000));
  }
  return best;
}

/** How long a mailbox of this length takes to drain, per message. */
async function drain(count: number): Promise<number> {
  let left = count;
  const done = Promise.withResolvers<void>();
  const pid = kernel.spawn(
    {
      handle: () => {
        left -= 1;
        if (left === 0) done.resolve();
      },
    },
    { mailboxCapacity: count },
  );
  for (let each = 0; each < count; each += 1) kernel.send(pid, each);
  const fromMs = performance.now();
  await done.promise;
  kernel.exit(pid, kill);
  return ((performance.now() - fromMs) * 1e6) / count;
}

await rate("call_one_client", 300_000, () => calls(300_000));
await rate("moleculer_call", 100_000, () => moleculerCalls(100_000));
await rate("call_64_clients", 640_000, async () => {
  await Promise.all(Array.from({ length: 64 }, () => calls(10_000)));
});
await rate("send", 1_000_000, () => sends(1_000_000));
await rate("cast", 1_000_000, () => casts(1_000_000));
await rate("spawn_exit", 300_000, () => spawns(300_000));
await rate("start_stop_down", 50_000, () => starts(50_000));
await restarts(2_000);
await drain(100_000);
print("drain_10k_ns", await drain(10_000));
print("drain_1m_ns", await drain(1_000_000));
await idle(1_000_000);
process.exit(0);
