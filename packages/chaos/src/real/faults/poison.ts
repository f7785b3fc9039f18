/**
 * Messages that no node sent: garbage on every subject of the cluster.
 *
 * @module
 */
import type { Random } from "@coppice/kernel";
import { Subjects } from "@coppice/net";
import { oneOf, within } from "../schedule-policy.ts";
import type { Fault } from "./fault.ts";

const messages = 200;
const bytesMax = 2_000;

const poison: Fault = {
  kind: "poison",
  description: `${messages} messages of garbage on the cluster's subjects`,
  lengthMs: [0, 1_000],
  inject: (random, { cluster, nodes, names, network }) => {
    const of = new Subjects(cluster);
    const node = (): string => oneOf(nodes, random).name;
    const subjects = [
      () => of.node(node(), node()),
      () => of.beat(node()),
      () => of.topic("news"),
      () => of.admin(node()),
      () => of.anyAdmin,
      () => of.call(oneOf(names, random), "act"),
    ];
    for (let sent = 0; sent < messages; sent += 1)
      network.transport.publish(oneOf(subjects, random)(), garbage(random));
    return { targets: ["every subject"], heal: () => {} };
  },
};

/** Random bytes; now and then headers of MessagePack arrays that promise far too much. */
function garbage(random: Random): Uint8Array {
  const bytes = new Uint8Array(within([0, bytesMax], random));
  const isBomb = random.u32() % 4 === 0;
  for (let at = 0; at < bytes.length; at += 1)
    bytes[at] = isBomb ? [0xdd, 0xff, 0xff, 0xff, 0xff][at % 5]! : random.u32() & 0xff;
  return bytes;
}

export const poisonFaults: readonly Fault[] = [poison];
