/**
 * Docker: its command, its daemon, and the network it needs.
 *
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Capability } from "../capability.ts";
import { Cleanup } from "../cleanup.ts";
import { dockerDaemon } from "../docker-daemon.ts";
import { networkNamespaces } from "./network-namespaces.ts";

export const docker: Capability = {
  name: "Docker",
  packages: [
    ...networkNamespaces.packages,
    ["/usr/sbin/dockerd", "docker.io"],
    ["/usr/{local/,}bin/docker", "docker.io"],
    ["/{usr/,}sbin/iptables", "iptables"],
  ],
  attempt: async () => {
    const scratch = await mkdtemp(join(tmpdir(), "coppice-probe-"));
    const failures: string[] = [];
    const cleanup = new Cleanup((line) => failures.push(line));
    try {
      await dockerDaemon(cleanup, join(scratch, "docker"));
    } finally {
      await cleanup.run();
      await rm(scratch, { recursive: true, force: true });
    }
    if (failures.length > 0) throw new Error(failures.join(", "));
  },
};
