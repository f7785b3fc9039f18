/**
 * The demo: a nats-server and three nodes, and what can be done to them.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildJsComponent } from "@coppice/component";
import { freePort, type LocalNatsServer, startNatsServer } from "@coppice/net-nats";
import { type ClusterClient, withCluster } from "../client.ts";

import { tree } from "../commands/questions.ts";
import { configDefaults } from "../config.ts";
import { demoFolder, writeDemoNote } from "../demo-file.ts";
import { createLogger } from "../logging.ts";
import { DemoNode, type LogLine } from "./demo-node.ts";
import { ensureNatsServer } from "./install.ts";
import { Watchdog } from "./watchdog.ts";

/** How the demo speaks. */
export interface DemoOptions {
  /** What it is doing, step by step. */
  readonly progress: (line: string) => void;
  readonly onLog: (line: LogLine) => void;
  /** A node ended, by its own doing or by a signal from anywhere. */
  readonly onNodeEnd: (name: string) => void;
  /** The nats-server ended: the demo cannot go on. */
  readonly onNatsEnd: () => void;
}

export const demoCluster = "demo";
const natsPortPreferred = 4_222;
const nodePorts = { a: 4_000, b: 4_001, c: 4_002 } as const;
export type NodeName = keyof typeof nodePorts;

const workspace = fileURLToPath(new URL("../../../../", import.meta.url));
const cacheDir = join(workspace, ".cache", "components");

export class Demo {
  readonly #options: DemoOptions;
  readonly #folder = demoFolder(process.pid);
  readonly #secret = randomBytes(16).toString("hex");
  readonly #nodes = new Map<NodeName, DemoNode>();
  readonly #ports = new Map<NodeName, number>();
  readonly #urls = new Map<NodeName, string>();
  #watchdog: Watchdog | undefined;
  #nats: LocalNatsServer | undefined;
  #component = "";
  #stopped = false;

  constructor(options: DemoOptions) {
    this.#options = options;
  }

  /** Starts everything and returns the addresses of the nodes, in order. */
  async start(): Promise<readonly string[]> {
    const { progress } = this.#options;
    await mkdir(this.#folder, { recursive: true });
    this.#watchdog = new Watchdog(this.#folder);
    const executable = await ensureNatsServer(progress);
    const port = await freePort(natsPortPreferred);
    progress(`starting ${executable} with JetStream on port ${port}`);
    this.#nats = await startNatsServer({ executable, port, storeDir: join(this.#folder, "nats") });
    this.#watchdog.watch(this.#nats.process);
    this.#nats.process.once("exit", () => {
      if (!this.#stopped) this.#options.onNatsEnd();
    });
    progress("building the component chat-room (most of a minute the first time, then cached)");
    this.#component = await buildJsComponent({
      source: join(workspace, "packages/chat/guest/chat-room.js"),
      wit: join(workspace, "wit/chat-room.wit"),
      world: "chat-room",
      cacheDir,
      logger: createLogger("demo"),
    });
    progress("starting the nodes a, b, c");
    // One after the other: the first owns the room, and the ports are told apart.
    for (const name of ["a", "b", "c"] as const) await this.startNode(name);
    await writeDemoNote(process.pid, { servers: [this.#nats.url], cluster: demoCluster });
    return [...this.#urls.values()];
  }

  /** Starts a node that is not running. */
  async startNode(name: NodeName): Promise<void> {
    if (this.#stopped || this.#nodes.get(name)?.isRunning === true) return;
    const port = this.#ports.get(name) ?? (await this.#nextPort(nodePorts[name]));
    this.#ports.set(name, port);
    const node = new DemoNode({
      name,
      port,
      servers: this.#nats!.url,
      cluster: demoCluster,
      component: this.#component,
      cacheDir,
      secret: this.#secret,
      onLog: this.#options.onLog,
    });
    this.#nodes.set(name, node);
    this.#watchdog!.watch(node.process);
    node.process.once("exit", () => {
      if (!this.#stopped) this.#options.onNodeEnd(name);
    });
    this.#urls.set(name, await node.ready);
  }

  /** Nodes that are not running. */
  missing(): NodeName[] {
    return [...this.#nodes].filter(([, node]) => !node.isRunning).map(([name]) => name);
  }

  /** Makes the component trap. */
  async crashRoom(): Promise<void> {
    await this.#ask((client) => client.call("chat-room", "add-message", ["WAT"]));
  }

  /** Kills the node that holds the room, as a power cut would. Returns its name. */
  async killOwner(): Promise<string | undefined> {
    const rows = await this.#ask((client) => client.names());
    const owner = rows.find(({ name }) => name === "chat-room")?.node as NodeName | undefined;
    if (owner === undefined) return undefined;
    this.#nodes.get(owner)?.process.kill("SIGKILL");
    return owner;
  }

  /** The trees of the nodes, as text. */
  async trees(): Promise<string> {
    return (await this.#ask((client) => tree(client, this.#options.progress))).text;
  }

  /** Ends everything; nothing of it is left. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    const running = [...this.#nodes.values()].filter(({ isRunning }) => isRunning);
    await Promise.all(running.map((node) => node.stop()));
    await this.#nats?.stop();
    await this.#watchdog?.close();
  }

  #ask<T>(question: (client: ClusterClient) => Promise<T>): Promise<T> {
    const { timeoutMs } = configDefaults;
    return withCluster({ servers: [this.#nats!.url], cluster: demoCluster, timeoutMs }, question);
  }

  /** The next free port at or after this one that no other node of the demo has. */
  async #nextPort(from: number): Promise<number> {
    const taken = new Set(this.#ports.values());
    for (let port = from; port < from + portsTriedMax; port += 1)
      if (!taken.has(port) && (await freePort(port)) === port) return port;
    return freePort();
  }
}

/** How many ports after the usual one are tried before any free one is taken. */
const portsTriedMax = 100;
