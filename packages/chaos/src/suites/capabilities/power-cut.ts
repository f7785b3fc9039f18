/**
 * A disk in a file whose power can be cut.
 *
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Capability } from "../capability.ts";
import { Cleanup } from "../cleanup.ts";
import { LoopDisk } from "../loop-disk.ts";

export const powerCut: Capability = {
  name: "power cuts",
  packages: [
    ["/{usr/,}sbin/mkfs.ext4", "e2fsprogs"],
    ["/usr/sbin/xfs_io", "xfsprogs"],
    ["/{usr/,}bin/mount", "mount"],
  ],
  attempt: async () => {
    const scratch = await mkdtemp(join(tmpdir(), "coppice-probe-"));
    const failures: string[] = [];
    const cleanup = new Cleanup((line) => failures.push(line));
    try {
      const [image, folder] = [join(scratch, "disk"), join(scratch, "mounted")];
      const disk = await LoopDisk.create({ cleanup, image, folder });
      await disk.cutPower();
      await disk.unmount();
    } finally {
      await cleanup.run();
      await rm(scratch, { recursive: true });
    }
    if (failures.length > 0) throw new Error(failures.join(", "));
  },
};
