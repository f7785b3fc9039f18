/**
 * Network namespaces with a bridge and a packet filter.
 *
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Capability } from "../capability.ts";
import { Cleanup } from "../cleanup.ts";
import { NetworkLab } from "../network-lab.ts";

export const networkNamespaces: Capability = {
  name: "network namespaces",
  packages: [
    ["/{usr/,}sbin/ip", "iproute2"],
    ["/{usr/,}sbin/nft", "nftables"],
    ["/usr/bin/nsenter", "util-linux"],
  ],
  attempt: async () => {
    const folder = await mkdtemp(join(tmpdir(), "coppice-probe-"));
    const failures: string[] = [];
    const cleanup = new Cleanup((line) => failures.push(line));
    try {
      const lab = await NetworkLab.create({ cleanup, folder });
      const machine = await lab.addMachine("probe");
      await lab.breakPackets(machine, { kind: "loss", percent: 50 });
      await lab.heal(machine);
      await lab.breakPackets(machine, { kind: "refuse" });
      await lab.resetConnections(machine);
    } finally {
      await cleanup.run();
      await rm(folder, { recursive: true });
    }
    if (failures.length > 0) throw new Error(failures.join(", "));
  },
};
