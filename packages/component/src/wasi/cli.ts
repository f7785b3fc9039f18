/**
 * `wasi:cli`: environment, arguments, standard streams and exit. There is no terminal.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { GuestOutput } from "./guest-output.ts";
import { alwaysReady } from "./poll.ts";
import { Resource, type Scope } from "./scope.ts";
import { closedStream, InputStream, OutputStream, type Source } from "./streams.ts";
import { GuestExitError } from "./wasi-errors.ts";

/** Never made: a guest has no terminal. */
class TerminalInput extends Resource {}
class TerminalOutput extends Resource {}

/** What the guest is told of the world it runs in. */
export interface CliOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  readonly stdin: string | Uint8Array;
  readonly stdout: GuestOutput;
  readonly stderr: GuestOutput;
  /** The guest ends itself. */
  readonly onExit: (error: GuestExitError) => void;
}

/** The interfaces by name. */
export function cli(scope: Scope, options: CliOptions): Record<string, object> {
  const stdin = typeof options.stdin === "string" ? Buffer.from(options.stdin) : options.stdin;
  const input = bytesSource(stdin);
  const leave = (status: number): never => {
    const error = new GuestExitError(status, options.stderr.lines());
    options.onExit(error);
    throw error; // Leaves the guest's frames: `exit` does not return.
  };
  return {
    "wasi:cli/environment": {
      getEnvironment: () => Object.entries(options.env),
      getArguments: () => [...options.args],
      initialCwd: () => undefined,
    },
    "wasi:cli/exit": {
      exit: ({ tag }: { readonly tag: "ok" | "err" }) => leave(tag === "ok" ? 0 : 1),
      exitWithCode: leave,
    },
    "wasi:cli/stdin": { getStdin: () => new InputStream(scope, input) },
    "wasi:cli/stdout": { getStdout: () => new OutputStream(scope, options.stdout.sink()) },
    "wasi:cli/stderr": { getStderr: () => new OutputStream(scope, options.stderr.sink()) },
    "wasi:cli/terminal-input": { TerminalInput },
    "wasi:cli/terminal-output": { TerminalOutput },
    "wasi:cli/terminal-stdin": { getTerminalStdin: () => undefined },
    "wasi:cli/terminal-stdout": { getTerminalStdout: () => undefined },
    "wasi:cli/terminal-stderr": { getTerminalStderr: () => undefined },
  };
}

/** Bytes that are all there. Every stream over it goes on where the last one stopped. */
function bytesSource(bytes: Uint8Array): Source {
  let at = 0;
  return {
    ...alwaysReady,
    read: (max) => {
      if (at >= bytes.length) throw closedStream();
      const part = bytes.subarray(at, at + max);
      at += part.length;
      return part;
    },
    close: () => {},
  };
}
