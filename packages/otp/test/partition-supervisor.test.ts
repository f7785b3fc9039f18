import { availableParallelism } from "node:os";
import { shutdown } from "@coppice/kernel";
import {
  ChildSpecError,
  countPartitions,
  partitionFor,
  partitionsMax,
  partitionSupervisor,
  type PartitionSupervisorSpec,
  resizePartitions,
  supervisor,
  SupervisorRef,
  whichPartitions,
} from "@coppice/otp";
import { expect, test } from "vitest";
import { expectNothingLeft, tracedKernel } from "./kernel.ts";

/** A kernel with a supervisor over one partition supervisor, `pool`. */
async function partitioned(options: Partial<PartitionSupervisorSpec> = {}) {
  const base = tracedKernel();
  const { Traced } = base;
  const spec = partitionSupervisor({
    name: "pool",
    child: (partition) => ({ start: [Traced, `p${partition}`] }),
    ...options,
  });
  return { ...base, ...(await base.supervise({ children: [spec] })) };
}

test("C-141: a whole number belongs to the remainder of its absolute value", async () => {
  const { kernel } = await partitioned({ partitions: 4 });
  const routes = [0, 1, 5, -3, -1, 7].map((key) => partitionFor(kernel, "pool", key));
  expect(routes).toEqual(["pool/0", "pool/1", "pool/1", "pool/3", "pool/1", "pool/3"]);
  expect(partitionFor(kernel, "pool", -5n)).toBe("pool/1");
});

/** Part of the contract: they must not move between versions. */
const expectedRoutes = ["pool/3", "pool/0", "pool/2", "pool/3"];

test("C-141: other keys belong where their written form hashes to: the same in every run", async () => {
  const { kernel } = await partitioned({ partitions: 4 });
  const keys = [
    "",
    "alice",
    "bob",
    { a: [1, null] },
    null,
    undefined,
    true,
    1.5,
    new Map([[1n, 2]]),
  ];
  expect(keys.map((key) => partitionFor(kernel, "pool", key))).toEqual(
    keys.map((key) => partitionFor(kernel, "pool", structuredClone(key))),
  );
  expect(["alice", "bob", "carol", "dave"].map((key) => partitionFor(kernel, "pool", key))).toEqual(
    expectedRoutes,
  );
});

test("C-141: a call by the partition's name reaches the child of the key", async () => {
  const { kernel, end, trace } = await partitioned({ partitions: 2 });
  await end(partitionFor(kernel, "pool", 3));
  expect(trace.at(2)).toBe("-p1 exit fault");
});

test.each([
  ["without a name", { name: undefined }, /needs a name/],
  ["with an empty name", { name: "" }, /needs a name/],
  ["without a child", { child: undefined }, /child must be a function/],
  ["with a child that is no function", { child: { start: [] } }, /child must be a function/],
  ["with no partitions", { partitions: 0 }, /partitions must be 1 to/],
  ["with half a partition", { partitions: 1.5 }, /partitions must be 1 to/],
  ["with too many partitions", { partitions: partitionsMax + 1 }, /partitions must be 1 to/],
])("C-143: a partition supervisor %s is refused", (_, wrong, message) => {
  const { Traced } = tracedKernel();
  const spec = { name: "pool", child: () => ({ start: [Traced, "p"] }), ...wrong };
  const make = () => partitionSupervisor(spec as unknown as PartitionSupervisorSpec);
  expect(make).toThrow(ChildSpecError);
  expect(make).toThrow(message);
});

test("C-143: there is no autoShutdown: its children cannot be significant", async () => {
  const { kernel, Traced } = tracedKernel();
  const spec = partitionSupervisor({
    name: "pool",
    partitions: 1,
    child: () => ({ start: [Traced, "p"], restart: "transient", significant: true }),
  });
  const options = { strategy: "one_for_one", children: [spec] } as const;
  const { start } = supervisor({ id: "above", ...options });
  const result = await (start as Exclude<typeof start, readonly unknown[]>)(
    {},
    { kernel, names: { startNamed: (name, how) => how.start({ ...how.options, name }) } },
  );
  expect(result).toMatchObject({
    type: "failed",
    reason: {
      detail: { failed_to_start_child: "pool", reason: { error: { code: "bad_child_spec" } } },
    },
  });
});

test("C-145: routes, counts and calls of a partition supervisor that is not there fail with noproc", async () => {
  const { kernel } = tracedKernel();
  const noproc = expect.objectContaining({ code: "noproc" }) as Error;
  expect(() => partitionFor(kernel, "nobody", 1)).toThrow(noproc);
  expect(() => countPartitions(kernel, "nobody")).toThrow(noproc);
  expect(() => whichPartitions(kernel, "nobody")).toThrow(noproc);
  await expect(resizePartitions(kernel, "nobody", 1)).rejects.toThrow(noproc);
  await expect(kernel.call("nobody/0", "end", [])).rejects.toThrow(noproc);
});

test("C-145: a process that is no partition supervisor has no partitions", async () => {
  const { kernel, supervise } = tracedKernel();
  await supervise({ children: [] }, { name: "plain" });
  expect(() => partitionFor(kernel, "plain", 1)).toThrow(/no partition supervisor runs as plain/);
});

test("C-147: resized to zero it has no partition for any key; resized again it has", async () => {
  const { kernel, clock, stop, take } = await partitioned({ partitions: 8 });
  take();
  expect(await resizePartitions(kernel, "pool", 0)).toBe(8);
  expect(take()).toEqual([7, 6, 5, 4, 3, 2, 1, 0].map((each) => `-p${each} shutdown`));
  expect(() => partitionFor(kernel, "pool", 1)).toThrow(RangeError);
  expect(() => partitionFor(kernel, "pool", 1)).toThrow(/zero partitions/);
  expect(await resizePartitions(kernel, "pool", 8)).toBe(0);
  expect(take()).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((each) => `+p${each}`));
  expect(partitionFor(kernel, "pool", 9)).toBe("pool/1");
  await stop();
  expectNothingLeft(kernel, clock);
});

test("C-147: a size below zero, above the first one, or that is no whole number is refused", async () => {
  const { kernel } = await partitioned({ partitions: 2 });
  for (const size of [-1, 3, 0.5, Number.NaN])
    await expect(resizePartitions(kernel, "pool", size)).rejects.toThrow(
      `pool can have 0 to 2 partitions, not ${size}`,
    );
  expect(countPartitions(kernel, "pool")).toBe(2);
});

test("C-147: when a partition does not start again, the size is that of those that run, and it is an error", async () => {
  const { kernel, broken } = await partitioned({ partitions: 3 });
  await resizePartitions(kernel, "pool", 0);
  broken.add("p1");
  await expect(resizePartitions(kernel, "pool", 3)).rejects.toMatchObject({
    code: "failed",
    message: "pool/1 did not start: exit p1 is broken",
  });
  expect(countPartitions(kernel, "pool")).toBe(1);
  broken.delete("p1");
  expect(await resizePartitions(kernel, "pool", 3)).toBe(1);
  expect(countPartitions(kernel, "pool")).toBe(3);
});

test("C-149: by default there is a partition for each core, with ids from 0", async () => {
  const { kernel } = await partitioned();
  const cores = availableParallelism();
  const ids = Array.from({ length: cores }, (_, index) => String(index));
  const rows = await new SupervisorRef(kernel, "pool").whichChildren();
  expect(rows.map(({ id }) => id)).toEqual(ids);
  expect(whichPartitions(kernel, "pool")).toEqual(rows.map(({ pid }) => pid));
  expect(countPartitions(kernel, "pool")).toBe(cores);
});

test("C-149: partitions may be supervisors", async () => {
  const { kernel } = await partitioned({
    partitions: 2,
    child: () => {
      const { type, start } = supervisor({ id: "", strategy: "one_for_one", children: [] });
      return { type: type!, start };
    },
  });
  expect(await new SupervisorRef(kernel, "pool").countChildren()).toEqual({
    specs: 2,
    active: 2,
    supervisors: 2,
    workers: 0,
  });
});

test("C12: a partition that crashes is restarted alone, under its name", async () => {
  const { kernel, end, take } = await partitioned({ partitions: 3 });
  const before = whichPartitions(kernel, "pool");
  take();
  await end("pool/1");
  await new SupervisorRef(kernel, "pool").whichChildren();
  expect(take()).toEqual(["-p1 exit fault", "+p1"]);
  const after = whichPartitions(kernel, "pool");
  expect([after[0], after[2]]).toEqual([before[0], before[2]]);
  expect(after[1]).not.toEqual(before[1]);
});

test("C12: it tolerates 3 restarts in 5 seconds of all partitions together, or what it is told", async () => {
  const { kernel, end, endOf, ref } = await partitioned({ partitions: 2, maxRestarts: 1 });
  expect(kernel.info(kernel.whereis("pool")!)?.details).toMatchObject({
    strategy: "one_for_one",
    maxRestarts: 1,
    maxSeconds: 5,
  });
  const gone = endOf("pool");
  await end("pool/0");
  await new SupervisorRef(kernel, "pool").whichChildren();
  await end("pool/1");
  expect(await gone).toEqual(shutdown);
  expect(await ref.whichChildren()).toMatchObject([{ id: "pool", state: "running", restarts: 1 }]);
  expect(countPartitions(kernel, "pool")).toBe(2);
});

test("C12: the child of a partition is told its number and how many there are", async () => {
  const told: [number, number][] = [];
  const { Traced } = tracedKernel();
  await partitioned({
    partitions: 2,
    child: (partition, partitions) => {
      told.push([partition, partitions]);
      return { start: [Traced, "p"] };
    },
  });
  expect(told).toEqual([
    [0, 2],
    [1, 2],
  ]);
});
