/**
 * Real servers for a test file: started with any configuration, stopped when the test ends.
 *
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type ConnectOptions,
  connectNats,
  findNatsServer,
  type LocalNatsServer,
  type LocalServerOptions,
  type NatsNetwork,
  startNatsServer,
} from "@coppice/net-nats";
import { onTestFinished } from "vitest";

/** The program; undefined where there is none. */
export const executable = findNatsServer({
  given: process.env["COPPICE_NATS_SERVER"],
  path: process.env["PATH"] ?? "",
});
if (executable === undefined)
  process.stderr.write("SKIPPED: net-nats against a real server: no nats-server was found\n");

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "coppice-nats-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function server(
  options: Partial<LocalServerOptions> = {},
): Promise<LocalNatsServer & { readonly storeDir: string }> {
  const storeDir = options.storeDir ?? (await temporaryFolder());
  const started = await startNatsServer({ executable: executable!, storeDir, ...options });
  onTestFinished(() => started.stop());
  return { ...started, storeDir };
}

/** A connection, closed when the test ends. */
export async function connected(
  url: string,
  options: Partial<ConnectOptions> = {},
): Promise<NatsNetwork> {
  const network = await connectNats({ servers: [url], name: "test", ...options });
  onTestFinished(() => network.close());
  return network;
}

/** Whether a message reaches a subscriber and comes back. */
export async function echoes(
  { transport }: NatsNetwork,
  subject = "coppice.echo",
): Promise<boolean> {
  const subscription = transport.subscribe(subject, ({ data, reply }) =>
    transport.publish(reply!, data),
  );
  const { data } = await transport.request(subject, new Uint8Array([7]), { timeoutMs: 5_000 });
  subscription.unsubscribe();
  return data[0] === 7;
}
