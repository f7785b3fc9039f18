/**
 * Ends what the demo started when the demo itself is killed outright and can end nothing any more.
 *
 * A shell waits for the end of a pipe that only the demo holds; then it kills the processes it was told of and removes
 * the demo's folder. It keeps out of the way of signals to the terminal's group.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";

const script = `
trap '' INT TERM HUP
pids=""
while read -r what pid; do
  case "$what" in
    add) pids="$pids $pid" ;;
    del) rest=""; for each in $pids; do [ "$each" = "$pid" ] || rest="$rest $each"; done; pids=$rest ;;
  esac
done
for each in $pids; do kill -KILL "$each" 2>/dev/null; done
rm -rf "$1"
`;

export class Watchdog {
  readonly #shell: ChildProcess;

  /** @param folder removed at the end, however it comes. */
  constructor(folder: string) {
    this.#shell = spawn("/bin/sh", ["-c", script, "coppice-demo-watchdog", folder], {
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    });
  }

  /** Watches a child until it ends. */
  watch(child: ChildProcess): void {
    const { pid } = child;
    if (pid === undefined) return;
    this.#shell.stdin?.write(`add ${pid}\n`);
    child.once("exit", () => {
      if (this.#shell.stdin?.writable === true) this.#shell.stdin.write(`del ${pid}\n`);
    });
  }

  /** Waits until the folder is removed and the shell is gone. */
  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#shell.once("exit", resolve));
    this.#shell.stdin?.end();
    await ended;
  }
}
