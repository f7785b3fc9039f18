/**
 * A small disk in memory that a run may fill up without harm to the machine.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";

const size = "96m";

/** Mounts one on that folder. Returns false where that is not allowed: it takes root, on Linux. */
export function mountSmallDisk(folder: string): boolean {
  mkdirSync(folder, { recursive: true });
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", folder], {
      stdio: "ignore",
    });
    return true;
  } catch {
    return false; // Said by the fault that needs it.
  }
}

export function unmountSmallDisk(folder: string): void {
  execFileSync("umount", ["-l", folder], { stdio: "ignore" });
}
