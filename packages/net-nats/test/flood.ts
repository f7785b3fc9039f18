/**
 * A publisher that floods a subject: `flood.ts <server> <subject>`.
 *
 * @module
 */
import { connect } from "@nats-io/transport-node";

const messages = 1_000;
const [server = "", subject = ""] = process.argv.slice(2);
const connection = await connect({ servers: server });
const data = new Uint8Array(64 * 1024);
for (let count = 0; count < messages; count += 1) {
  connection.publish(subject, data);
  if (count % 50 === 0) await connection.flush();
}
await connection.flush();
await connection.close();
