/**
 * Which commit of this repository runs.
 *
 * @module
 */
import { spawnSync } from "node:child_process";

/** Its short name, with `-dirty` where files were changed; `unknown` outside of a repository. */
export function commitOf(): string {
  const { status, stdout } = spawnSync("git", ["describe", "--always", "--dirty", "--abbrev=12"], {
    cwd: import.meta.dirname,
    encoding: "utf8",
  });
  return status === 0 ? stdout.trim() : "unknown";
}
