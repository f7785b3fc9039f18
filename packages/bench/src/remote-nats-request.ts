/**
 * The plain NATS client in the remote-call benchmark: `nc.request()` and a subscription that responds, bytes as they are.
 *
 * @module
 */
import { connect } from "nats";
import { parseLoad, report, runLoad } from "./remote-load.ts";

const [role, ...args] = process.argv.slice(2);
const { server, load } = parseLoad(args);
const connection = await connect({ servers: server });
if (role === "answer") {
  connection.subscribe("bench.echo", {
    callback: (_error, message) => message.respond(message.data),
  });
  await connection.flush();
  report("ready");
} else {
  const payload = new Uint8Array(load.payloadBytes).fill(120);
  report(await runLoad(load, () => connection.request("bench.echo", payload, { timeout: 5_000 })));
  await connection.close();
}
