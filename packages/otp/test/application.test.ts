import {
  type ExitReason,
  type LogFields,
  NotPlainDataError,
  type ProcessInfo,
  shutdown,
} from "@coppice/kernel";
import {
  type ApplicationContext,
  ApplicationCycleError,
  type ApplicationHalt,
  applicationHookMsMax,
  type ApplicationRestart,
  Applications,
  type ApplicationsOptions,
  type ApplicationSpec,
  ApplicationSpecError,
  defineApplication,
  GenServer,
  UnknownApplicationError,
} from "@coppice/otp";
import fc from "fast-check";
import { expect, expectTypeOf, onTestFinished, test } from "vitest";
import { startOrder } from "../src/application-order-policy.ts";
import { haltsAll } from "../src/application-restart-policy.ts";
import { loggedKernel } from "./kernel.ts";
import { runExample } from "./example.ts";
import { countingKernel, endOf } from "./counting-kernel.ts";

/** Applications of one server each, that note in `trace` what happens to them. */
function traced(
  dependencies: Readonly<Record<string, readonly string[]>>,
  options: ApplicationsOptions & { readonly more?: Partial<ApplicationSpec> } = {},
) {
  const { kernel, logs } = loggedKernel();
  const trace: string[] = [];
  const broken = new Set<string>();
  class Server extends GenServer {
    static override readonly trapExit = true;
    readonly of: string;
    constructor(of: string) {
      super();
      this.of = of;
    }
    override init(): void {
      if (broken.has(`server ${this.of}`)) throw new Error(`server of ${this.of} is broken`);
      trace.push(`+${this.of}`);
    }
    override terminate(): void {
      trace.push(`-${this.of}`);
    }
  }
  const specs = Object.entries(dependencies).map(([name, needed]): ApplicationSpec => ({
    name,
    dependencies: needed,
    start: () => {
      if (broken.has(`start ${name}`)) throw new Error(`start of ${name} is broken`);
      return {
        strategy: "one_for_one",
        maxRestarts: 0,
        children: [{ id: name, name, start: [Server, name] }],
      };
    },
    startPhases: [
      () => {
        if (broken.has(`phase ${name}`)) throw new Error(`phase of ${name} is broken`);
        trace.push(`phase ${name}`);
      },
    ],
    prepStop: () => void trace.push(`prepStop ${name}`),
    stop: () => void trace.push(`stop ${name}`),
    ...options.more,
  }));
  const halts: ApplicationHalt[] = [];
  const onHalt = (halt: ApplicationHalt): void => void halts.push(halt);
  const { more: _, ...rest } = options;
  const applications = new Applications(kernel, specs, { onHalt, ...rest });
  onTestFinished(async () => {
    await applications.stopAll();
    expect(applications.running()).toEqual([]);
    expect(kernel.processes()).toEqual([]);
  });
  /** Ends an application's tree: its server crashes, and its supervisor tolerates none. Resolves when it has ended. */
  const crash = async (name: string): Promise<void> => {
    const isTree = ({ kind, label }: ProcessInfo) => kind === "application" && label === name;
    const end = endOf(kernel, kernel.processes().find(isTree)!.pid);
    kernel.exit(kernel.whereis(name)!, { type: "kill" });
    await end;
  };
  const names = () => applications.running().map(({ name }) => name);
  return { kernel, logs, trace, broken, applications, halts, crash, names };
}

function events(logs: readonly LogFields[], event: string): readonly LogFields[] {
  return logs.filter((fields) => fields["event"] === event);
}

test("an application starts after those it depends on, and all stop in the reverse order", async () => {
  const { applications, trace, names } = traced({ c: ["b", "a"], a: [], b: ["a"], other: [] });
  expect(await applications.ensureAllStarted(["c"])).toEqual({
    ok: true,
    started: ["a", "b", "c"],
  });
  expect(names()).toEqual(["a", "b", "c"]);
  expect(trace).toEqual(["+a", "phase a", "+b", "phase b", "+c", "phase c"]);
  trace.length = 0;
  await applications.stopAll();
  expect(trace).toEqual(
    ["c", "b", "a"].flatMap((name) => [`prepStop ${name}`, `-${name}`, `stop ${name}`]),
  );
});

test("starting what runs already starts nothing again; one alone needs its dependencies first", async () => {
  const { applications, trace } = traced({ a: [], b: ["a"], c: ["b"] });
  expect(await applications.start("b")).toEqual({
    ok: false,
    error: "not_started",
    dependency: "a",
  });
  expect(trace).toEqual([]);
  expect(await applications.start("a")).toEqual({ ok: true, started: ["a"] });
  expect(await applications.start("a")).toEqual({ ok: false, error: "already_started" });
  expect(await applications.ensureAllStarted(["a", "c"])).toEqual({
    ok: true,
    started: ["b", "c"],
  });
  expect(await applications.ensureAllStarted(["a", "c"])).toEqual({ ok: true, started: [] });
});

test("stop stops one application and none that depend on it, and it may start again", async () => {
  const { applications, names, kernel, halts } = traced({ a: [], b: ["a"] });
  await applications.ensureAllStarted(["b"], { restart: "permanent" });
  expect(await applications.stop("a")).toBe(true);
  expect(await applications.stop("a")).toBe(false);
  expect(names()).toEqual(["b"]);
  expect(kernel.whereis("a")).toBeUndefined();
  expect(await applications.start("a")).toEqual({ ok: true, started: ["a"] });
  expect(halts).toEqual([]); // Stopping a permanent application is not its end.
});

for (const what of ["start", "server", "phase"])
  test(`a start that fails in its ${what} leaves nothing running that it started`, async () => {
    const { applications, broken, names, trace, kernel, logs } = traced({
      before: [],
      a: [],
      b: ["a"],
      c: ["b"],
    });
    await applications.start("before");
    broken.add(`${what} b`);
    const result = await applications.ensureAllStarted(["before", "c"], { restart: "permanent" });
    expect(result).toMatchObject({ ok: false, error: "failed", application: "b" });
    expect(JSON.stringify(result)).toContain("of b is broken");
    expect(names()).toEqual(["before"]);
    expect(kernel.processes().map(({ label, name }) => name ?? label)).toEqual([
      "before",
      "before",
    ]);
    // What `start` may have opened is closed by `stop`, unless `start` itself failed.
    expect(trace.includes("stop b")).toBe(what !== "start");
    expect(trace.at(-1)).toBe("stop a");
    expect(events(logs, "application_start_error")).toMatchObject([{ application: "b" }]);
    broken.clear();
    expect(await applications.ensureAllStarted(["c"])).toMatchObject({ started: ["a", "b", "c"] });
  });

test("a tree whose specification is wrong is a failed start", async () => {
  const { applications } = traced(
    { a: [] },
    { more: { start: () => ({ strategy: "one_for_none", children: [] }) as never } },
  );
  expect(await applications.start("a")).toMatchObject({
    error: "failed",
    reason: { error: { name: "RangeError" } },
  });
});

test("permanent: its end stops every application, the last started first, and the node is told", async () => {
  const { applications, trace, crash, halts, names, logs } = traced({ a: [], b: ["a"], c: [] });
  await applications.ensureAllStarted(["c"]);
  await applications.ensureAllStarted(["b"], { restart: "permanent" });
  trace.length = 0;
  await crash("a");
  await expect.poll(() => halts).toEqual([{ application: "a", reason: shutdown }]);
  expect(names()).toEqual([]);
  expect(trace).toEqual(
    ["stop a"].concat(
      ["b", "c"].flatMap((name) => [`prepStop ${name}`, `-${name}`, `stop ${name}`]),
    ),
  );
  expect(events(logs, "application_ended")).toMatchObject([
    { application: "a", restart: "permanent", reason: shutdown },
  ]);
  const halted = { ok: false, error: "halted", application: "a", reason: shutdown };
  expect(await applications.ensureAllStarted(["c"])).toEqual(halted);
});

test("temporary: its end is reported, and the others run on; it may be started again", async () => {
  const { applications, crash, names, halts, logs, trace } = traced({ a: [], b: ["a"] });
  await applications.ensureAllStarted(["b"]);
  await crash("a");
  await expect.poll(() => trace).toContain("stop a");
  expect(trace).not.toContain("prepStop a"); // There was nothing left to prepare.
  expect(names()).toEqual(["b"]);
  expect(events(logs, "application_ended")).toHaveLength(1);
  expect(await applications.start("a")).toEqual({ ok: true, started: ["a"] });
  expect(halts).toEqual([]);
});

test("transient: shutdown, which a supervisor that gives up ends with, stops all; normal does not", async () => {
  const { applications, crash, halts } = traced({ a: [] });
  await applications.start("a", { restart: "transient" });
  await crash("a");
  await expect.poll(() => halts).toEqual([{ application: "a", reason: shutdown }]);
  const reasons: ExitReason[] = [{ type: "normal" }, shutdown, { type: "killed" }];
  const rows = (["permanent", "transient", "temporary"] satisfies ApplicationRestart[]).map(
    (restart) => reasons.map((reason) => haltsAll(restart, reason)),
  );
  expect(rows).toEqual([
    [true, true, true],
    [false, true, true],
    [false, false, false],
  ]);
});

test("an end while another application starts stops both, and that start says so", async () => {
  const going = Promise.withResolvers<void>();
  const inPhase = Promise.withResolvers<void>();
  const { applications, crash, names } = traced(
    { a: [], b: [] },
    {
      more: {
        startPhases: [
          async ({ name }) => {
            if (name === "b") inPhase.resolve();
            if (name === "b") await going.promise;
          },
        ],
      },
    },
  );
  await applications.start("a", { restart: "permanent" });
  const starting = applications.ensureAllStarted(["b"]);
  await inPhase.promise;
  await crash("a");
  going.resolve();
  expect(await starting).toMatchObject({ ok: false, error: "halted", application: "a" });
  await applications.stopAll();
  expect(names()).toEqual([]);
});

test("a tree that ends during the start phases is a failed start, and halts nothing", async () => {
  const inPhase = Promise.withResolvers<void>();
  const going = Promise.withResolvers<void>();
  const { applications, crash, halts, trace } = traced(
    { a: [] },
    {
      more: {
        startPhases: [
          async () => {
            inPhase.resolve();
            await going.promise;
          },
        ],
      },
    },
  );
  const starting = applications.start("a", { restart: "permanent" });
  await inPhase.promise;
  await crash("a");
  going.resolve();
  expect(await starting).toMatchObject({ error: "failed", application: "a", reason: shutdown });
  expect(trace.at(-1)).toBe("stop a");
  expect(halts).toEqual([]);
});

test("missing dependencies, circles and names given twice are refused when the set is made", () => {
  const { kernel } = countingKernel();
  const make = (dependencies: Record<string, string[]>) => () =>
    new Applications(
      kernel,
      Object.entries(dependencies).map(([name, needed]) => app(name, needed)),
    );
  const app = (name: string, dependencies: string[] = []): ApplicationSpec => ({
    name,
    dependencies,
    start: () => ({ strategy: "one_for_one", children: [] }),
  });
  expect(make({ a: ["b"], b: ["missing"] })).toThrow(UnknownApplicationError);
  expect(make({ a: ["b"], b: ["missing"] })).toThrow("missing, which b depends on");
  expect(make({ a: ["a"] })).toThrow("a -> a");
  expect(make({ x: ["a"], a: ["b"], b: ["c"], c: ["a"] })).toThrow(ApplicationCycleError);
  expect(make({ x: ["a"], a: ["b"], b: ["c"], c: ["a"] })).toThrow("a -> b -> c -> a");
  expect(() => new Applications(kernel, [app("a"), app("a")])).toThrow(ApplicationSpecError);
  expect(() => new Applications(kernel, [app("")])).toThrow(ApplicationSpecError);
  expect(() => new Applications(kernel, [{ name: "a" } as never])).toThrow("must be a function");
  expect(() => new Applications(kernel, [{ ...app("a"), shutdownMs: -1 }])).toThrow("shutdownMs");
  const environment = { other: {} };
  expect(() => new Applications(kernel, [app("a")], { environment })).toThrow("other");
});

test("an application that is not known is refused by every method", async () => {
  const { applications } = traced({ a: [] });
  for (const call of [
    applications.start("x"),
    applications.ensureAllStarted(["a", "x"]),
    applications.stop("x"),
  ])
    await expect(call).rejects.toThrow(UnknownApplicationError);
  expect(() => applications.environment("x")).toThrow(UnknownApplicationError);
  expect(applications.running()).toEqual([]);
});

test("the environment is plain data, overridden value by value from outside", async () => {
  const { kernel } = countingKernel();
  const seen: unknown[] = [];
  const web = defineApplication({
    name: "web",
    environment: { port: 80, hosts: ["a"] },
    start: ({ environment }) => {
      expectTypeOf(environment).toEqualTypeOf<Readonly<{ port: number; hosts: string[] }>>();
      seen.push(environment);
      return { strategy: "one_for_one", children: [] };
    },
    stop: ({ environment, name }) => void seen.push([name, environment.port]),
  });
  const bare = defineApplication({
    name: "bare",
    start: (context) => {
      expectTypeOf(context).toEqualTypeOf<ApplicationContext<{}>>();
      return { strategy: "one_for_one", children: [] };
    },
  });
  await using applications = new Applications(kernel, [web, bare], {
    environment: { web: { port: 8080 } },
  });
  expect(applications.environment("web")).toEqual({ port: 8080, hosts: ["a"] });
  await applications.ensureAllStarted(["web", "bare"]);
  await applications.stop("web");
  expect(seen).toEqual([{ port: 8080, hosts: ["a"] }, ["web", 8080]]);
  const wrong = { ...web, environment: { port: () => 80 } };
  expect(() => new Applications(kernel, [wrong])).toThrow(NotPlainDataError);
});

test("callbacks that fail while stopping are logged, and do not keep the others from stopping", async () => {
  const fails = (): Promise<void> => Promise.reject(new Error("cannot"));
  const { applications, logs, names } = traced(
    { a: [], b: [] },
    { more: { prepStop: fails, stop: fails } },
  );
  await applications.ensureAllStarted(["a", "b"]);
  await applications.stopAll();
  expect(names()).toEqual([]);
  expect(events(logs, "application_hook_failed")).toMatchObject(
    ["b", "a"].flatMap((application) => [
      { application, hook: "prepStop", error: { message: "cannot" } },
      { application, hook: "stop" },
    ]),
  );
});

test("callbacks that hang are passed over after their time, and a tree that hangs is killed after its own", async () => {
  const { kernel, clock } = countingKernel();
  const stubborn: ApplicationSpec = {
    name: "stubborn",
    shutdownMs: 500,
    start: () => ({
      strategy: "one_for_one",
      children: [
        {
          id: "stubborn",
          shutdownMs: Infinity,
          start: (options) =>
            kernel.start({ handle: () => new Promise(() => {}) }, { ...options, trapExit: true }),
        },
      ],
    }),
    prepStop: () => new Promise(() => {}),
  };
  const applications = new Applications(kernel, [stubborn]);
  await applications.start("stubborn");
  const { pid } = applications.running()[0]!;
  const end = endOf(kernel, pid);
  const stopping = applications.stopAll();
  await clock.advance(applicationHookMsMax);
  expect(kernel.isAlive(pid)).toBe(true);
  await clock.advance(500);
  await stopping;
  expect(await end).toEqual({ type: "killed" });
  expect(applications.running()).toEqual([]);
  for (const left of kernel.processes()) kernel.exit(left.pid, { type: "kill" });
  expect(clock.pending()).toBe(0);
});

test("starts and stops that overlap wait for each other", async () => {
  const { applications, names } = traced({ a: [], b: ["a"] });
  const [first, second, stopped, third] = await Promise.all([
    applications.ensureAllStarted(["b"]),
    applications.ensureAllStarted(["a", "b"]),
    applications.stop("b"),
    applications.start("b"),
  ]);
  expect([first, second]).toMatchObject([{ started: ["a", "b"] }, { started: [] }]);
  expect([stopped, third]).toMatchObject([true, { started: ["b"] }]);
  expect(names()).toEqual(["a", "b"]);
});

test("the start order has every application once, after all it depends on", () => {
  const graph = fc
    .array(fc.array(fc.nat({ max: 30 }), { maxLength: 5 }), { minLength: 1, maxLength: 31 })
    .map((needs) => needs.map((each, index) => each.filter((other) => other < index)));
  fc.assert(
    fc.property(graph, fc.infiniteStream(fc.nat()), (needs, picks) => {
      const dependencies = new Map(needs.map((each, index) => [`${index}`, each.map(String)]));
      const wanted = [...picks.take(3)].map((pick) => `${pick % needs.length}`);
      const order = startOrder(dependencies, wanted);
      expect(new Set(order).size).toBe(order.length);
      for (const name of wanted) expect(order).toContain(name);
      for (const [index, name] of order.entries())
        for (const needed of dependencies.get(name)!)
          expect(order.slice(0, index)).toContain(needed);
    }),
  );
});

test("the example of applications runs", async () => {
  await runExample("application.ts");
});
