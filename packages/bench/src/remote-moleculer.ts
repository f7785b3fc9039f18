/**
 * Moleculer in the remote-call benchmark: its NATS transporter and its default serializer, JSON.
 *
 * @module
 */
import { ServiceBroker } from "moleculer";
import { parseLoad, report, runLoad } from "./remote-load.ts";

const [role, ...args] = process.argv.slice(2);
const { server, load } = parseLoad(args);
const broker = new ServiceBroker({
  nodeID: role === "answer" ? "answer" : `ask-${process.pid}`,
  logger: false,
  transporter: { type: "NATS", options: { url: server } },
});
if (role === "answer") {
  broker.createService({
    name: "echo",
    actions: { run: (context: { readonly params: unknown }) => context.params },
  });
  await broker.start();
  report("ready");
} else {
  await broker.start();
  await broker.waitForServices("echo", 20_000);
  const params = { value: "x".repeat(load.payloadBytes) };
  report(await runLoad(load, () => broker.call("echo.run", params)));
  await broker.stop();
}
