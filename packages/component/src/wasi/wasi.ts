/**
 * The WASI 0.2 world of one guest: nothing of its host, unless the host says otherwise.
 *
 * @module
 */
import { cli } from "./cli.ts";
import { clocks } from "./clocks.ts";
import { files, type Preopens } from "./files/files.ts";
import { GuestOutput } from "./guest-output.ts";
import { defaultHttpLimits, type HttpLimits } from "./http/http-limits.ts";
import { http } from "./http/http.ts";
import { type AccessRule, endpointTable, originTable } from "./net/access-policy.ts";
import { type Resolver, systemResolver } from "./net/resolver.ts";
import { poll, Pollable } from "./poll.ts";
import { randomness } from "./random.ts";
import { Scope, type ScopeHost } from "./scope.ts";
import { sockets } from "./sockets/sockets.ts";
import { InputStream, IoError, OutputStream } from "./streams.ts";
import { type GuestExitError, WasiOptionError } from "./wasi-errors.ts";

/** What a component may have of its host. Everything is denied by default. */
export interface WasiOptions {
  /** Environment variables. Default: none; the host's are never inherited. */
  readonly env?: Readonly<Record<string, string>>;
  /** Command-line arguments, the program's name first as C has it. Default: none. */
  readonly args?: readonly string[];
  /** What standard input holds. Default: nothing. */
  readonly stdin?: string | Uint8Array;
  /** Directories, by the path the component sees. Default: none. */
  readonly preopens?: Preopens;
  /** Origins that HTTP requests may go to, such as `https://api.example.com`. Default: none. */
  readonly allowHttp?: false | readonly AccessRule[];
  /** Limits of HTTP requests. */
  readonly httpLimits?: Partial<HttpLimits>;
  /** Endpoints that TCP connections may go to, such as `db.example.com:5432`. Default: none. */
  readonly allowTcp?: readonly AccessRule[];
  /** Endpoints that UDP datagrams may go to and come from. Default: none. */
  readonly allowUdp?: readonly AccessRule[];
}

/** What the host brings. */
export interface WasiHost extends ScopeHost {
  /** Every line the guest writes that is not dropped. */
  readonly onOutput: (stream: "stdout" | "stderr", line: string) => void;
  /** The guest called `wasi:cli/exit`: nothing of it may run any more. */
  readonly onExit: (error: GuestExitError) => void;
  /** From a name to addresses. Default: the machine's resolver. */
  readonly resolve?: Resolver;
}

/** A guest's world. */
export interface Wasi {
  /** What to link, by interface without version: jco's names. */
  readonly imports: Record<string, object>;
  /** The last lines of standard error, for a crash report. */
  readonly stderrTail: () => readonly string[];
  /** How many handles the guest holds. */
  readonly handles: () => number;
  /**
   * Ends everything: what waits fails, files, sockets and timers are closed. The promise resolves when they are; it
   * never rejects.
   */
  readonly dispose: () => Promise<void>;
}

/** @throws {WasiOptionError} if the options make no sense or a preopen cannot be opened. */
export async function createWasi(options: WasiOptions, host: WasiHost): Promise<Wasi> {
  const { env = {}, args = [], stdin = "", preopens = {}, allowHttp = false } = options;
  const { allowTcp = [], allowUdp = [], httpLimits = {} } = options;
  mustBeTexts("env", [...Object.keys(env), ...Object.values(env)]);
  mustBeTexts("args", args);
  const limits = { ...defaultHttpLimits, ...httpLimits };
  for (const [name, value] of Object.entries(limits))
    if (!(value > 0)) throw new WasiOptionError(`httpLimits.${name}: ${value} is not above 0`);
  const origins = originTable(allowHttp === false ? [] : allowHttp);
  const rules = {
    tcp: endpointTable("allowTcp", allowTcp),
    udp: endpointTable("allowUdp", allowUdp),
  };
  const scope = new Scope(host);
  const { resolve = systemResolver, onOutput, onExit } = host;
  const output = (stream: "stdout" | "stderr"): GuestOutput =>
    new GuestOutput(scope.clock, (line) => onOutput(stream, line));
  const [stdout, stderr] = [output("stdout"), output("stderr")];
  let filesystem: Record<string, object>;
  try {
    filesystem = await files(scope, preopens);
  } catch (thrown) {
    await scope.dispose();
    throw thrown;
  }
  return {
    imports: {
      "wasi:io/error": { Error: IoError },
      "wasi:io/poll": { Pollable, poll },
      "wasi:io/streams": { InputStream, OutputStream },
      ...clocks(scope),
      ...randomness(scope.random),
      ...cli(scope, { env, args, stdin, stdout, stderr, onExit }),
      ...filesystem,
      ...http(scope, { origins, limits, resolve }),
      ...sockets(scope, rules, resolve),
    },
    stderrTail: () => stderr.lines(),
    handles: () => scope.handles,
    dispose: () => {
      stdout.end();
      stderr.end();
      return scope.dispose();
    },
  };
}

/** A NUL would end the text early in a guest written in C. */
function mustBeTexts(option: string, texts: readonly unknown[]): void {
  const bad = texts.find((text) => typeof text !== "string" || text.includes("\0"));
  if (bad !== undefined)
    throw new WasiOptionError(`${option}: ${JSON.stringify(bad)} is not a text without NUL`);
}
