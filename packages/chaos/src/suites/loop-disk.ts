/**
 * A disk in a file that can lose its power: what was written and not yet flushed is gone.
 *
 * @module
 */
import { mkdirSync } from "node:fs";
import type { Cleanup } from "./cleanup.ts";
import { run, runNow } from "./command.ts";

const size = "256M";

export class LoopDisk {
  readonly folder: string;
  readonly #image: string;
  #isMounted = false;

  private constructor(image: string, folder: string) {
    this.#image = image;
    this.folder = folder;
  }

  /** Makes the file at `image` and mounts it on `folder`. */
  static async create(options: {
    readonly cleanup: Cleanup;
    readonly image: string;
    readonly folder: string;
  }): Promise<LoopDisk> {
    const { cleanup, image, folder } = options;
    const disk = new LoopDisk(image, folder);
    mkdirSync(folder, { recursive: true });
    await run("truncate", ["-s", size, image]);
    await run("mkfs.ext4", ["-q", "-F", image]);
    cleanup.add(() => {
      if (disk.#isMounted) runNow("umount", ["-l", folder]);
    });
    await disk.mount();
    return disk;
  }

  async mount(): Promise<void> {
    await run("mount", ["-o", "loop", this.#image, this.folder]);
    this.#isMounted = true;
  }

  async unmount(): Promise<void> {
    await run("umount", [this.folder]);
    this.#isMounted = false;
  }

  /** Everything written until now outlives a power cut. */
  async flush(): Promise<void> {
    await run("sync", ["-f", this.folder]);
  }

  /** Nothing is written any more from this moment on. Kill what uses it, unmount and mount to have it back. */
  async cutPower(): Promise<void> {
    await run("xfs_io", ["-x", "-c", "shutdown", this.folder]);
  }
}
