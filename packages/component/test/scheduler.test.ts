import {
  component,
  CpuLimitError,
  InstanceDeadError,
  Scheduler,
  TooManyCallsError,
  TooManyInstancesError,
  TrapError,
} from "@coppice/component";
import { ExitError, systemClock } from "@coppice/kernel";
import { startSupervisor } from "@coppice/otp";
import { beforeAll, describe, expect, test } from "vitest";
import { buildGuest, type CompiledGuest, compileGuest, open } from "./guests.ts";
import { newKernel } from "./kernel.ts";

const limits = { cpuMsPerCall: 50 };
let built: Awaited<ReturnType<typeof buildGuest>>;
let compiled: CompiledGuest;
/** With a budget that no test waits for. */
let patient: CompiledGuest;

beforeAll(async () => {
  built = await buildGuest();
  compiled = await compileGuest(built, limits);
  patient = await compileGuest(built, { cpuMsPerCall: 600_000 });
});

function scheduler(options = {}): Scheduler {
  return new Scheduler({ clock: systemClock, ...options });
}

/** The event loop has turned: timers ran. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, 0));
}

/** The one thing that failed, when it is known that it does. */
async function failure(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    (value) => {
      throw new Error(`it answered ${String(value)}`);
    },
    (thrown: unknown) => thrown as Error,
  );
}

describe("a guest that does not end", () => {
  test.for([
    ["spin", []],
    ["spin-and-catch", []],
    ["fill-for-ever", []],
    ["pause-for-ever", []],
    ["give", []],
  ] as const)("is stopped after its budget: %s", async ([name, args]) => {
    const instance = await open(compiled, scheduler());
    const trap = await failure(instance.call(name, args));
    expect(trap).toBeInstanceOf(TrapError);
    expect(trap.cause).toBeInstanceOf(CpuLimitError);
    expect(instance.cpuMs).toBeGreaterThan(limits.cpuMsPerCall);
    await expect(instance.call("add", [1, 2])).rejects.toThrow(InstanceDeadError);
  });

  test("is stopped where it cannot be suspended: while it makes room for an argument", async () => {
    const instance = await open(compiled, scheduler());
    expect(await instance.call("take", ["abc"])).toBe(3);
    await instance.call("arm", []);
    const trap = await failure(instance.call("take", ["abc"]));
    expect((trap.cause as CpuLimitError).limit).toMatch(/unsuspendable|cpu_per_call/);
  });

  test("neither stops timers nor its neighbours", async () => {
    const own = scheduler();
    const spinning = await open(patient, own);
    const neighbour = await open(patient, own);
    const spin = failure(spinning.call("spin", []));
    for (let turn = 1; turn <= 5; turn += 1) {
      await nextTurn();
      expect(await neighbour.call("add", [turn, 1])).toBe(turn + 1);
    }
    expect(spinning.cpuMs).toBeGreaterThan(0);
    spinning.die(new ExitError({ type: "killed" }));
    await spin;
  });

  test("can be ended from outside, in the middle of the loop", async () => {
    const instance = await open(patient, scheduler());
    const spin = failure(instance.call("spin", []));
    await nextTurn();
    instance.die(new ExitError({ type: "killed" }));
    expect((await spin).message).toMatch(/spin: exit: killed/);
    await nextTurn();
    const used = instance.cpuMs;
    await nextTurn();
    expect(instance.cpuMs).toBe(used);
  });

  test("shares fairly: equal guests use equal time", async () => {
    // Its time passes by being read, so it does not depend on what else the machine does.
    let readings = 0;
    const clock = { ...systemClock, now: () => (readings += 1) * 0.05 };
    const own = new Scheduler({ clock });
    const guests = await Promise.all(Array.from({ length: 10 }, () => open(patient, own)));
    const spins = guests.map((guest) => failure(guest.call("spin", [])));
    while (guests.some(({ cpuMs }) => cpuMs < 20)) await nextTurn();
    const used = guests.map(({ cpuMs }) => cpuMs);
    expect(Math.max(...used)).toBeLessThan(Math.min(...used) + 4);
    for (const guest of guests) guest.die(new ExitError({ type: "killed" }));
    await Promise.all(spins);
  });
});

describe("a guest that waits in a host function", () => {
  test.for(["pause-once", "pause-and-catch"])("is settled when it is ended: %s", async (name) => {
    const own = scheduler();
    const instance = await open(compiled, own, { pause: () => new Promise(() => {}) });
    const call = failure(instance.call(name, []));
    await nextTurn();
    expect(own.instances).toBe(1);
    instance.die(new ExitError({ type: "killed" }));
    expect(await call).toBeInstanceOf(TrapError);
    expect(own.instances).toBe(0);
  });

  test("goes on when it has ended, and others run meanwhile", async () => {
    const own = scheduler();
    const waiting = Promise.withResolvers<number>();
    const asking = await open(compiled, own, { answer: () => waiting.promise });
    const other = await open(compiled, own);
    const asked = asking.call("ask", []);
    expect(await other.call("bump", [])).toBe(1);
    waiting.resolve(7);
    expect(await asked).toBe(7);
    expect(await asking.call("add", [1, 1])).toBe(2);
  });

  test("waiting costs no budget", async () => {
    const own = scheduler();
    const instance = await open(compiled, own, {
      pause: () => new Promise((resolve) => void setTimeout(resolve, limits.cpuMsPerCall * 2)),
    });
    await instance.call("pause-once", []);
    expect(instance.cpuMs).toBeLessThan(limits.cpuMsPerCall);
  });
});

describe("limits", () => {
  test("a call has a budget of its own; the process has one for all", async () => {
    const both = await compileGuest(built, { cpuMsPerCall: 50, cpuMsPerProcess: 60 });
    const instance = await open(both, scheduler());
    let trap: Error | undefined;
    while (trap === undefined)
      trap = await instance.call("work", [5_000_000]).then(
        () => undefined,
        (thrown: unknown) => thrown as Error,
      );
    expect((trap.cause as CpuLimitError).limit).toBe("cpu_per_process");
  });

  test("a thread holds so many instances; one that ends makes room", async () => {
    const own = scheduler({ instancesMax: 2 });
    const first = await open(compiled, own);
    await open(compiled, own);
    await expect(open(compiled, own)).rejects.toThrow(TooManyInstancesError);
    first.die(new ExitError({ type: "killed" }));
    expect(await (await open(compiled, own)).call("add", [1, 2])).toBe(3);
  });

  test("a thread holds so many calls; the one too many did not run and harms nothing", async () => {
    const own = scheduler({ callsMax: 1 });
    const waiting = Promise.withResolvers<undefined>();
    const first = await open(compiled, own, { pause: () => waiting.promise });
    const second = await open(compiled, own);
    const call = first.call("pause-once", []);
    await expect(second.call("bump", [])).rejects.toThrow(TooManyCallsError);
    waiting.resolve(undefined);
    await call;
    expect(await second.call("bump", [])).toBe(1);
  });

  test("memory has a ceiling, which the guest sees as the standard says", async () => {
    const small = await compileGuest(built, { memoryBytes: 4 * 65_536 });
    const instance = await open(small, scheduler());
    expect(await instance.call("grow", [2])).toBe(1);
    expect(await instance.call("grow", [2])).toBe(-1);
  });

  test("an instance that traps at once gives its place back", async () => {
    const own = scheduler({ instancesMax: 1, callsMax: 1 });
    for (let round = 0; round < 20; round += 1) {
      const instance = await open(compiled, own);
      await expect(instance.call("boom", [])).rejects.toThrow(TrapError);
    }
    expect(own.instances).toBe(0);
  });
});

test("a supervised component that loops is stopped and comes back; its state shows its time", async () => {
  const kernel = newKernel();
  const spec = (id: string) =>
    component({ id, name: id, ...built, limits, imports: { pause: () => {}, answer: () => 1 } });
  await startSupervisor(kernel, {
    strategy: "one_for_one",
    children: [spec("loops"), spec("works")],
  });
  const looping = kernel.call("loops", "spin", []).catch((thrown: unknown) => thrown);
  expect(await kernel.call("works", "add", [20, 22])).toBe(42);
  expect(String(await looping)).toMatch(/stopped after 50 ms of processor time/);
  await expect.poll(() => kernel.call("loops", "bump", []).catch(() => undefined)).toBe(1);
  const shown = kernel.processes().map(({ details }) => details?.["cpuMs"]);
  expect(shown.filter((cpuMs) => typeof cpuMs === "number")).toHaveLength(2);
});
