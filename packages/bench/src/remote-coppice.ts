/**
 * Coppice in the remote-call benchmark: `answer <server>` is a node with a named gen-server, `ask <server> <load>` one
 * that calls it by its name.
 *
 * @module
 */
import { GenServer, startNode } from "coppice";
import { parseLoad, report, runLoad } from "./remote-load.ts";

class Echo extends GenServer {
  run(value: unknown): unknown {
    return value;
  }
}

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const [role, ...args] = process.argv.slice(2);
const { server, load } = parseLoad(args);
const node = await startNode({
  name: role === "answer" ? "answer" : `ask-${process.pid}`,
  cluster: "bench",
  servers: [server],
  logger: quiet,
});
if (role === "answer") {
  const echo = { id: "echo", name: "echo", start: [Echo] as const };
  await node.start({ strategy: "one_for_one", children: [echo] });
  report("ready");
} else {
  const payload = "x".repeat(load.payloadBytes);
  while (node.whereis("echo") === undefined) await new Promise(setImmediate);
  report(await runLoad(load, () => node.call("echo", "run", [payload])));
  await node.stop();
}
