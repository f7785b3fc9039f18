/**
 * The command line: its commands, flags and help.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { Command, CommanderError, Option } from "commander";
import { type ClusterClient, withCluster } from "./client.ts";
import { call, kill, parseArguments } from "./commands/actions.ts";
import { drain } from "./commands/drain.ts";
import { push } from "./commands/push.ts";
import { type Found, names, nodes, ps, tree } from "./commands/questions.ts";
import { start, type StartCommand } from "./commands/start.ts";
import { types, type TypesCommand } from "./commands/types.ts";
import {
  type Config,
  configFromEnvironment,
  type ConfigSource,
  mergeConfig,
  parseConfig,
  parseServers,
  parseTimeoutMs,
} from "./config.ts";
import { findDemo } from "./demo-file.ts";
import { exitCodeOf, exitCodes, UsageError } from "./exit-codes.ts";
import { parsePairs, parseReplicas, parseWeight } from "./node-flags.ts";

/** The file that is read when it is there and `--config` is not given. */
export const configFileDefault = "coppice.json";

interface Flags {
  readonly servers?: string;
  readonly cluster?: string;
  readonly timeoutMs?: string;
  readonly config?: string;
  readonly output: "text" | "json";
}

const helpAfter = `
Settings come from flags, then COPPICE_SERVERS and COPPICE_CLUSTER, then ${configFileDefault}, then a running demo.

Exit codes: 0 done, 1 the call failed, 2 wrong usage, 3 no cluster reached.`;

/** Runs one command line. Returns the exit status; never throws. */
export async function runProgram(argv: readonly string[]): Promise<number> {
  try {
    await program().parseAsync([...argv], { from: "user" });
    return exitCodes.done;
  } catch (thrown) {
    if (thrown instanceof CommanderError)
      return thrown.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    process.stderr.write(`coppice: ${message}\n`);
    return exitCodeOf(thrown);
  }
}

function program(): Command {
  const root = new Command("coppice")
    .description("Looks into a cluster of supervised processes, calls them, and runs nodes of it.")
    .addHelpText("after", helpAfter)
    .exitOverride();
  question(root, "nodes", "list the nodes of the cluster", nodes);
  question(root, "names", "list the names, who owns them, and their epochs", names);
  question(root, "ps", "list the processes of every node", (client) => ps(client, warn));
  question(root, "tree", "show the supervision tree of every node", (client) => tree(client, warn));
  shared(root.command("call <name> <function> [arguments...]"))
    .description("call a named process; each argument is JSON")
    .action(async (name: string, method: string, args: string[], flags: Flags) => {
      const values = parseArguments(args);
      await report(flags, (client) => call(client, name, method, values));
    });
  shared(root.command("kill <name>"))
    .description("kill a named process, wherever it lives; its supervisor restarts it")
    .action((name: string, flags: Flags) => report(flags, (client) => kill(client, name)));
  shared(root.command("drain <node>"))
    .description("hand everything a node owns to other nodes, so that it can be stopped")
    .action((node: string, flags: Flags) => report(flags, (client) => drain(client, node)));
  shared(root.command("push <file>"))
    .description("put a component where every node of the cluster gets it; prints its digest")
    .action(async (file: string, flags: Flags) =>
      print(flags, await push(await configOf(flags), file)),
    );
  root
    .command("types <file>")
    .description("write TypeScript for a component, a WIT file, or a folder of WIT files")
    .option("-o, --out <file>", "where to write it; default: standard output")
    .option("--world <name>", "which world of the WIT; default: the only one")
    .action((file: string, flags: Omit<TypesCommand, "file">) => types({ file, ...flags }));
  located(root.command("start <module>"))
    .description("run a node with the application the module exports")
    .requiredOption("--name <name>", "the node's name, unique in the cluster")
    .option("--set <name=value...>", "settings for the application", [])
    .option("--label <name=value...>", "what placement may ask for, such as zone=north", [])
    .option("--weight <number>", "how much of what is placed it takes; 0 takes nothing (1)")
    .option("--replicas <count>", "how many NATS servers keep the names: 1, 3 or 5 (1)")
    .option("--until-stdin-ends", "stop when stdin ends", false)
    .action(async (module: string, flags: Flags & StartFlags) =>
      start(await configOf(flags), startCommand(module, flags)),
    );
  return root;
}

interface StartFlags {
  readonly name: string;
  readonly set: readonly string[];
  readonly label: readonly string[];
  readonly weight?: string;
  readonly replicas?: string;
  readonly untilStdinEnds: boolean;
}

function startCommand(module: string, flags: StartFlags): StartCommand {
  const { name, set, label, weight, replicas, untilStdinEnds } = flags;
  const node = {
    labels: parsePairs(label, "--label"),
    ...(weight === undefined ? {} : { weight: parseWeight(weight) }),
    ...(replicas === undefined ? {} : { replicas: parseReplicas(replicas) }),
  };
  return { module, name, settings: parsePairs(set, "--set"), node, untilStdinEnds };
}

function question(
  root: Command,
  name: string,
  description: string,
  ask: (client: ClusterClient) => Promise<Found>,
): void {
  shared(root.command(name))
    .description(description)
    .action((flags: Flags) => report(flags, ask));
}

/** The flags of every command. */
function located(command: Command): Command {
  return command
    .option("--servers <addresses>", "NATS servers, separated by commas")
    .option("--cluster <name>", "the cluster's name")
    .option("--timeout-ms <milliseconds>", "how long to wait for an answer")
    .option(
      "--config <path>",
      `a JSON file with servers, cluster, timeoutMs (${configFileDefault})`,
    );
}

/** The flags of every command that prints. */
function shared(command: Command): Command {
  const output = new Option("-o, --output <format>", "how to print the answer");
  return located(command).addOption(output.choices(["text", "json"]).default("text"));
}

async function report(flags: Flags, ask: (client: ClusterClient) => Promise<Found>): Promise<void> {
  print(flags, await withCluster(await configOf(flags), ask));
}

function print(flags: Flags, found: Found): void {
  process.stdout.write(`${flags.output === "json" ? JSON.stringify(found.data) : found.text}\n`);
}

async function configOf(flags: Flags): Promise<Config> {
  return mergeConfig(
    sourceOf(flags),
    configFromEnvironment(process.env),
    await fromFile(flags.config),
    await findDemo(),
  );
}

function sourceOf({
  servers,
  cluster,
  timeoutMs,
}: {
  readonly servers?: string | undefined;
  readonly cluster?: string | undefined;
  readonly timeoutMs?: string | undefined;
}): ConfigSource {
  return {
    ...(servers === undefined || servers === "" ? {} : { servers: parseServers(servers) }),
    ...(cluster === undefined || cluster === "" ? {} : { cluster }),
    ...(timeoutMs === undefined ? {} : { timeoutMs: parseTimeoutMs(timeoutMs) }),
  };
}

async function fromFile(given: string | undefined): Promise<ConfigSource> {
  const path = given ?? configFileDefault;
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if (given === undefined && (cause as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw new UsageError(`${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
  return parseConfig(text, path);
}

function warn(line: string): void {
  process.stderr.write(`coppice: ${line}\n`);
}
