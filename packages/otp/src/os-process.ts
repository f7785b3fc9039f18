/**
 * A program of the operating system as a child: its exit status becomes the exit reason.
 *
 * Asked to stop, it gets SIGTERM; when its time is up, SIGKILL. Both go to its process group, so that what it started ends
 * with it. Not covered: a node that is itself killed outright leaves the program running.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import {
  type Behaviour,
  CoppiceError,
  type Incoming,
  type Logger,
  normal,
  type Self,
} from "@coppice/kernel";
import type { ChildSpec } from "./child-spec.ts";

/** A program as a child of a supervisor. */
export interface OsProcessSpec extends Omit<ChildSpec, "start" | "type" | "prepare"> {
  readonly command: string;
  readonly args?: readonly string[];
  readonly cwd?: string;
  /** The whole environment of the program. Default: this process's own. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The program could not be started. */
export class OsProcessError extends CoppiceError {
  static {
    this.prototype.name = "OsProcessError";
  }
  readonly code = "os_process_failed";
  readonly command: string;

  constructor(command: string, options: { readonly cause: Error }) {
    super(`${command} cannot be started: ${options.cause.message}`, options);
    this.command = command;
  }
}

/** How a program ended: the value of its exit reason, unless it ended with status 0, which is `normal`. */
export interface OsExit {
  readonly command: string;
  readonly status: number | undefined;
  readonly signal: string | undefined;
  /** The last lines it wrote to stderr. */
  readonly stderr: readonly string[];
}

/** Lines of stderr kept for the exit reason, and the longest line, in characters. */
const stderrLinesMax = 20;
const lineLengthMax = 2_000;

/** A program as a child. Every line it writes is a log event `os_output`. */
export function osProcess(spec: OsProcessSpec): ChildSpec {
  const { command, args = [], cwd, env, ...child } = spec;
  const options = {
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env: { ...env } }),
  };
  const launch = (): ChildProcess =>
    spawn(command, [...args], { ...options, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  return {
    ...child,
    start: (spawnOptions, { kernel }) =>
      kernel.start(new OsProcess(command, launch), {
        kind: "os-process",
        ...spawnOptions,
        trapExit: true,
      }),
  };
}

class OsProcess implements Behaviour {
  readonly #command: string;
  readonly #launch: () => ChildProcess;
  readonly #stderr: string[] = [];
  #program: ChildProcess | undefined;
  #running = false;
  #closed: Promise<void> = Promise.resolve();

  constructor(command: string, launch: () => ChildProcess) {
    this.#command = command;
    this.#launch = launch;
  }

  async start(self: Self): Promise<void> {
    const program = this.#launch();
    this.#program = program;
    this.#closed = this.#follow(program, self);
    await new Promise<void>((resolve, reject) => {
      program.once("spawn", resolve);
      program.once("error", (cause) => reject(new OsProcessError(this.#command, { cause })));
    });
    this.#running = true;
  }

  async handle(message: Incoming, self: Self): Promise<void> {
    if (message.type !== "exit" || !self.isParent(message.from)) return;
    this.#signal("SIGTERM");
    await this.#closed;
    self.exit(message.reason);
  }

  ended(): void {
    this.#signal("SIGKILL");
  }

  describe(): Readonly<Record<string, unknown>> {
    return { command: this.#command, osPid: this.#program?.pid };
  }

  #signal(signal: "SIGTERM" | "SIGKILL"): void {
    const pid = this.#program?.pid;
    if (!this.#running || pid === undefined) return;
    try {
      process.kill(-pid, signal); // The group of which it is the leader.
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== "ESRCH") throw thrown; // It ended just now.
    }
  }

  /** Logs what it writes, and ends this process when it has ended and all of that was read. */
  #follow(program: ChildProcess, self: Self): Promise<void> {
    const { logger } = self.kernel;
    this.#log(program, "stdout", logger, self);
    this.#log(program, "stderr", logger, self);
    return new Promise((resolve) => {
      program.once("close", (status, signal) => {
        this.#running = false;
        resolve();
        // While it is being stopped, `handle` waits for this and gives the reason.
        queueMicrotask(() => {
          if (self.kernel.info(self.pid)?.status === "running") return;
          if (status === 0) return self.exit(normal);
          self.exit({ type: "exit", value: this.#exitValue(status, signal) });
        });
      });
    });
  }

  #exitValue(status: number | null, signal: string | null): OsExit {
    return {
      command: this.#command,
      status: status ?? undefined,
      signal: signal ?? undefined,
      stderr: this.#stderr,
    };
  }

  #log(program: ChildProcess, stream: "stdout" | "stderr", logger: Logger, self: Self): void {
    createInterface({ input: program[stream]! }).on("line", (whole) => {
      const line = whole.slice(0, lineLengthMax);
      logger.info({ event: "os_output", pid: self.pid.toString(), stream, line }, line);
      if (stream === "stderr" && this.#stderr.push(line) > stderrLinesMax) this.#stderr.shift();
    });
  }
}
