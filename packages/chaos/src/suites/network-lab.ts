/**
 * A network of its own: a bridge in a namespace, and further namespaces plugged into it, one for each machine that is played.
 *
 * @module
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Cleanup } from "./cleanup.ts";
import { run, runNow, uniqueName } from "./command.ts";
import { type PacketFault, rulesOf, table } from "./packet-rules.ts";

/** Addresses that are reserved for tests of networks: 198.18.0.0/15. */
const firstOctets = "198.18";
const bridge = "br0";
const port = "eth0";
const outsideHost = 254;

/** One machine that is played. */
export interface LabMachine {
  readonly name: string;
  readonly address: string;
  /** What goes before a command so that it runs there. */
  readonly enter: readonly string[];
}

export class NetworkLab {
  readonly #id: string;
  readonly #hub: string;
  readonly #net: number;
  readonly #folder: string;
  #hosts = 0;

  private constructor(id: string, net: number, folder: string) {
    this.#id = id;
    this.#hub = `${id}-hub`;
    this.#net = net;
    this.#folder = folder;
  }

  /** Makes the bridge and plugs this machine itself into it. `folder` is for the rules. */
  static async create(options: {
    readonly cleanup: Cleanup;
    readonly folder: string;
  }): Promise<NetworkLab> {
    const net = freeNet(await run("ip", ["-o", "-4", "addr"]));
    const lab = new NetworkLab(uniqueName(), net, options.folder);
    options.cleanup.add(() => lab.#remove());
    await run("ip", ["netns", "add", lab.#hub]);
    await run("ip", ["-n", lab.#hub, "link", "add", bridge, "type", "bridge"]);
    await run("ip", ["-n", lab.#hub, "link", "set", bridge, "up"]);
    const outside = lab.#outside;
    await run("ip", ["link", "add", outside, "type", "veth", "peer", "outside", "netns", lab.#hub]);
    await run("ip", ["-n", lab.#hub, "link", "set", "outside", "master", bridge, "up"]);
    const address = `${firstOctets}.${net}.${outsideHost}/24`;
    await run("ip", ["addr", "add", address, "dev", outside]);
    await run("ip", ["link", "set", outside, "up"]);
    return lab;
  }

  /** A namespace with an address, plugged into the bridge. */
  async addMachine(name: string): Promise<LabMachine> {
    this.#hosts += 1;
    const namespace = this.#namespaceOf(name);
    const address = `${firstOctets}.${this.#net}.${this.#hosts}`;
    await run("ip", ["netns", "add", namespace]);
    const veth = ["link", "add", port, "netns", namespace, "type", "veth"];
    await run("ip", [...veth, "peer", "name", name, "netns", this.#hub]);
    await run("ip", ["-n", this.#hub, "link", "set", name, "master", bridge, "up"]);
    await run("ip", ["-n", namespace, "addr", "add", `${address}/24`, "dev", port]);
    await run("ip", ["-n", namespace, "link", "set", port, "up"]);
    await run("ip", ["-n", namespace, "link", "set", "lo", "up"]);
    return { name, address, enter: ["nsenter", `--net=/run/netns/${namespace}`, "--"] };
  }

  /** Until {@link heal}. */
  async breakPackets(machine: LabMachine, fault: PacketFault): Promise<void> {
    const file = join(this.#folder, `${machine.name}.nft`);
    writeFileSync(file, rulesOf(fault));
    await this.#runIn(machine, "nft", "-f", file);
  }

  async heal(machine: LabMachine): Promise<void> {
    await this.#runIn(machine, "nft", "delete", "table", ...table.split(" "));
  }

  /** Resets every connection of that machine once. Resolves to how many there were. */
  async resetConnections(machine: LabMachine): Promise<number> {
    return linesOf(await this.#runIn(machine, "ss", "-K", "-Htn", "state", "established"));
  }

  /** The port of the switch that the machine is plugged into. */
  async setPort(machine: LabMachine, state: "up" | "down"): Promise<void> {
    await run("ip", ["-n", this.#hub, "link", "set", machine.name, state]);
  }

  #runIn({ enter }: LabMachine, ...command: readonly string[]): Promise<string> {
    const [program, ...args] = [...enter, ...command];
    return run(program!, args);
  }

  /** At most 15 characters. */
  get #outside(): string {
    return this.#id.replace("coppice-", "coppice");
  }

  #namespaceOf(name: string): string {
    return `${this.#id}-${name}`;
  }

  /** With a namespace its ports go, and with them their other ends. */
  #remove(): void {
    for (const namespace of namespacesOf(runNow("ip", ["netns", "list"]), this.#id))
      runNow("ip", ["netns", "delete", namespace]);
  }
}

/** Those of the list `ip netns list` that belong to a lab. */
export function namespacesOf(list: string, id: string): string[] {
  const names = list.split("\n").map((line) => line.split(" ")[0]!);
  return names.filter((name) => name.startsWith(`${id}-`));
}

/** The third number of addresses that nobody uses, from what `ip -o -4 addr` says. @throws {RangeError} if there is none. */
export function freeNet(addresses: string): number {
  const used = new Set(
    [...addresses.matchAll(/inet 198\.18\.(\d+)\./g)].map(([, third]) => Number(third)),
  );
  for (let net = 1; net < 255; net += 1) if (!used.has(net)) return net;
  throw new RangeError(`every network of ${firstOctets}.0.0/16 is in use: remove old ones`);
}

function linesOf(text: string): number {
  return text.split("\n").filter((line) => line !== "").length;
}
