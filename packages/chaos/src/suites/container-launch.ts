/**
 * Containers of the Docker suite: the NATS server and the lives of nodes.
 *
 * @module
 */
import {
  type ContainerRuntimeClient,
  type GenericContainer,
  getContainerRuntimeClient,
  type StartedNetwork,
  type StartedTestContainer,
  Wait,
} from "testcontainers";
import { type ChaosNodeOptions, nodeArguments } from "../real/node-options.ts";
import type { NodeLife } from "./node-launch.ts";

const natsPort = 4222;
const startTimeoutMs = 60_000;
const stopSeconds = 30;

/** What Docker itself can do to a container. */
export type Container = ReturnType<ContainerRuntimeClient["container"]["getById"]>;

/** The name by which containers find the server. */
export const natsAlias = "nats";

/** Its port on the host stays the same when it is restarted. */
export function startNatsContainer(
  image: GenericContainer,
  network: StartedNetwork,
  hostPort: number,
): Promise<StartedTestContainer> {
  return image
    .withNetwork(network)
    .withNetworkAliases(natsAlias)
    .withExposedPorts({ container: natsPort, host: hostPort })
    .withWaitStrategy(Wait.forLogMessage("Server is ready"))
    .withStartupTimeout(startTimeoutMs)
    .start();
}

export async function containerOf(started: StartedTestContainer): Promise<Container> {
  const client = await getContainerRuntimeClient();
  return client.container.getById(started.getId());
}

/** Each life of a node is a container of its own. */
export async function launchContainer(
  options: ChaosNodeOptions,
  image: GenericContainer,
  network: StartedNetwork,
): Promise<NodeLife & { readonly container: Container; readonly remove: () => Promise<unknown> }> {
  const { history } = options;
  const started = await image
    .withNetwork(network)
    .withBindMounts([{ source: history, target: history, mode: "rw" }])
    .withCommand(nodeArguments(options))
    .withWaitStrategy(Wait.forLogMessage(/"event":"ready"/))
    .withStartupTimeout(startTimeoutMs)
    .start();
  const container = await containerOf(started);
  const ended = container.wait().then(({ StatusCode: status }) => `${status}`);
  return {
    container,
    ready: Promise.resolve(),
    ended,
    stop: async () => void (await container.stop({ t: stopSeconds })),
    kill: async () => {
      const { State: state } = await container.inspect();
      if (state.Paused) await container.unpause();
      if (state.Running) await container.kill();
    },
    remove: () => container.remove({ force: true, v: true }),
  };
}
