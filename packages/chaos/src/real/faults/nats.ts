/**
 * Faults of the NATS servers.
 *
 * @module
 */
import { rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { streamOf } from "../ownership-watch.ts";
import { oneOf, shuffled } from "../schedule-policy.ts";
import type { World } from "../world.ts";
import { type Fault, type Injected, needsThree } from "./fault.ts";

async function killed({ servers }: World, indices: readonly number[]): Promise<Injected> {
  await Promise.all(indices.map((index) => servers.kill(index)));
  return {
    targets: indices.map((index) => servers.names[index]!),
    heal: async () => void (await Promise.all(indices.map((index) => servers.startOne(index)))),
  };
}

const indicesOf = (world: World): number[] => world.servers.names.map((_, index) => index);

const natsKill: Fault = {
  kind: "nats_kill",
  description: "SIGKILL for one NATS server; it is started again with its store",
  lengthMs: [0, 4_000],
  inject: (random, world) => killed(world, [oneOf(indicesOf(world), random)]),
};

const natsFreeze: Fault = {
  kind: "nats_freeze",
  description: "SIGSTOP for one NATS server, then SIGCONT",
  lengthMs: [500, 6_000],
  inject: (random, world) => {
    const index = oneOf(indicesOf(world), random);
    world.servers.freeze(index);
    return { targets: [world.servers.names[index]!], heal: () => world.servers.thaw(index) };
  },
};

const leaderKill: Fault = {
  kind: "nats_leader_kill",
  description: "SIGKILL for the server that leads the names' stream",
  lengthMs: [2_000, 12_000],
  unavailable: needsThree,
  inject: async (_, world) =>
    killed(world, [await world.servers.leaderOf(streamOf(world.cluster))]),
};

const majorityLoss: Fault = {
  kind: "nats_majority_loss",
  description: "SIGKILL for two of three servers",
  lengthMs: [2_000, 15_000],
  unavailable: needsThree,
  inject: (random, world) => killed(world, shuffled(indicesOf(world), random).slice(0, 2)),
};

const allKilled: Fault = {
  kind: "nats_kill_all",
  description: "SIGKILL for all servers of a cluster",
  lengthMs: [0, 5_000],
  unavailable: needsThree,
  inject: (_, world) => killed(world, indicesOf(world)),
};

const fillerName = "filler";
const fillerBytes = 1 << 20;

const diskFull: Fault = {
  kind: "disk_full",
  description:
    "the disk of the first NATS server is filled up; then it has room again and is restarted",
  lengthMs: [2_000, 8_000],
  unavailable: ({ smallDisk }) =>
    smallDisk === undefined ? "no small disk could be mounted (it takes root)" : undefined,
  inject: (_, { servers, smallDisk }) => {
    const filler = join(smallDisk!, fillerName);
    fill(smallDisk!, filler);
    const heal = async (): Promise<void> => {
      rmSync(filler, { force: true });
      await servers.kill(0); // nats-server 2.9 does not recover by itself, nor heed SIGTERM.
      await servers.startOne(0);
    };
    return { targets: [servers.names[0]!], heal };
  },
};

function fill(disk: string, file: string): void {
  const block = Buffer.alloc(fillerBytes);
  for (;;) {
    const { bavail, bsize } = statfsSync(disk);
    const room = Math.min(bavail * bsize, fillerBytes);
    if (room === 0) return;
    try {
      writeFileSync(file, block.subarray(0, room), { flag: "a" });
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== "ENOSPC") throw thrown;
      return;
    }
  }
}

export const natsFaults: readonly Fault[] = [
  natsKill,
  natsFreeze,
  leaderKill,
  majorityLoss,
  allKilled,
  diskFull,
];
