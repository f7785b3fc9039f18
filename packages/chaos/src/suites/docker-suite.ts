/**
 * Nodes and the NATS server in containers that are cut off, paused, killed and restarted by Docker.
 *
 * @module
 */
import { join } from "node:path";
import { freePort } from "@coppice/net-nats";
import { GenericContainer, getContainerRuntimeClient, Network } from "testcontainers";
import { docker } from "./capabilities/docker.ts";
import type { Cleanup } from "./cleanup.ts";
import {
  type Container,
  containerOf,
  launchContainer,
  natsAlias,
  startNatsContainer,
} from "./container-launch.ts";
import { dockerDaemon } from "./docker-daemon.ts";
import type { LaunchNode } from "./node-launch.ts";
import { natsImage, nodeImage } from "./scratch-images.ts";
import { type Strike, SuiteCluster, type SuiteEnvironment } from "./suite-cluster.ts";
import type { Suite } from "./suite.ts";

const nodeNames = ["n1", "n2", "n3"];
const beyondLeaseMs = 7_000;
const briefMs = 1_000;

export const dockerSuite: Suite = {
  name: "docker",
  capability: docker,
  run: async (environment) => {
    const { folder, cleanup, say } = environment;
    const { socket, address } = await dockerDaemon(cleanup, join(folder, "docker"));
    // The library has no other way to be told; nothing is downloaded, so nothing may watch over what it starts.
    process.env["DOCKER_HOST"] = `unix://${socket}`;
    process.env["TESTCONTAINERS_HOST_OVERRIDE"] = address;
    process.env["TESTCONTAINERS_RYUK_DISABLED"] = "true";
    const images = await buildImages(environment);
    say(`  two images were built from nothing`);
    const network = await new Network().start();
    cleanup.add(() => void network.stop());
    const hostPort = await freePort();
    const nats = await startNatsContainer(images.nats, network, hostPort);
    cleanup.add(async () => void (await nats.stop()));
    const cluster = new SuiteCluster(environment, { servers: [`nats://${natsAlias}:4222`] });
    await cluster.watchRegistry([`nats://${address}:${hostPort}`]);
    const containers = new Map<string, Container>();
    const launch =
      (name: string): LaunchNode =>
      async (options) => {
        const life = await launchContainer(options, images.node(), network);
        cleanup.add(async () => void (await life.remove()));
        containers.set(name, life.container);
        return life;
      };
    await cluster.start(Object.fromEntries(nodeNames.map((name) => [name, launch(name)])));
    const client = await getContainerRuntimeClient();
    const wire = client.container.dockerode.getNetwork(network.getId());
    await strikeAll({ cluster, containers, wire, nats: await containerOf(nats) });
    return { strikes: cluster.results, judgement: await cluster.finish() };
  },
};

interface Images {
  readonly nats: GenericContainer;
  /** A description of its own for each container. */
  readonly node: () => GenericContainer;
}

async function buildImages({ folder, natsServer, cleanup }: SuiteEnvironment): Promise<Images> {
  const [natsFolder, nodeFolder] = [join(folder, "nats-image"), join(folder, "node-image")];
  await natsImage(natsFolder, natsServer);
  await nodeImage(nodeFolder);
  const built = [
    await build(natsFolder, "coppice-chaos/nats:latest", cleanup),
    await build(nodeFolder, "coppice-chaos/node:latest", cleanup),
  ] as const;
  return { nats: new GenericContainer(built[0]), node: () => new GenericContainer(built[1]) };
}

async function build(folder: string, name: string, cleanup: Cleanup): Promise<string> {
  await GenericContainer.fromDockerfile(folder).build(name, { deleteOnExit: false });
  cleanup.add(async () => {
    const client = await getContainerRuntimeClient();
    await client.container.dockerode.getImage(name).remove({ force: true });
  });
  return name;
}

interface Targets {
  readonly cluster: SuiteCluster;
  readonly containers: ReadonlyMap<string, Container>;
  readonly nats: Container;
  readonly wire: {
    connect(options: { readonly Container: string }): Promise<unknown>;
    disconnect(options: { readonly Container: string }): Promise<unknown>;
  };
}

async function strikeAll({ cluster, containers, nats, wire }: Targets): Promise<void> {
  const onBusiest = (fault: (node: string, container: Container) => Omit<Strike, "targets">) => {
    const node = cluster.busiest();
    return cluster.strike({ targets: [node], ...fault(node, containers.get(node)!) });
  };
  const disconnect = (_: string, { id }: Container) => ({
    kind: "disconnect",
    make: () => wire.disconnect({ Container: id }),
    heal: () => wire.connect({ Container: id }),
    lengthMs: beyondLeaseMs,
    moves: true,
  });
  const pause = (_: string, container: Container) => ({
    kind: "pause",
    make: () => container.pause(),
    heal: () => container.unpause(),
    lengthMs: beyondLeaseMs,
    moves: true,
  });
  const kill = (node: string) => ({
    kind: "kill",
    make: () => cluster.killNode(node),
    heal: () => cluster.startNode(node),
    lengthMs: briefMs,
    moves: true,
  });
  for (const fault of [disconnect, pause, kill, disconnect]) await onBusiest(fault);
  for (const lengthMs of [briefMs, beyondLeaseMs])
    await cluster.strike({
      kind: "pause",
      targets: ["nats"],
      make: () => nats.pause(),
      heal: () => nats.unpause(),
      lengthMs,
    });
  await cluster.strike({
    kind: "kill and restart",
    targets: ["nats"],
    make: () => nats.kill(),
    heal: () => nats.start(),
    lengthMs: briefMs,
  });
}
