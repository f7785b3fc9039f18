/**
 * A trap to the next answer of the same component, on one node.
 *
 * @module
 */
import { join } from "node:path";
import { buildJsComponent, component, startNode } from "coppice";
import { type Figure, spread } from "./figures.ts";

const crashes = 50;

export async function measureRestart(workspace: string): Promise<Figure[]> {
  const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const cacheDir = join(workspace, ".cache", "components");
  const path = await buildJsComponent({
    source: join(workspace, "packages/chat/guest/chat-room.js"),
    wit: join(workspace, "wit/chat-room.wit"),
    world: "chat-room",
    cacheDir,
    logger,
  });
  await using node = await startNode({ name: "bench", logger });
  const room = component({
    id: "room",
    name: "room",
    path,
    cacheDir,
    imports: { "publish-message": (message: string) => message },
  });
  await node.start({ strategy: "one_for_one", maxRestarts: crashes + 1, children: [room] });
  await node.call("room", "init", []);
  const samples: number[] = [];
  for (let crash = 0; crash < crashes; crash += 1) {
    const fromMs = performance.now();
    await node.call("room", "add-message", ["WAT"]).catch(() => {});
    await node.call("room", "init", []);
    samples.push(performance.now() - fromMs);
  }
  return [{ what: "component restart: trap to next answer", value: spread(samples) }];
}
