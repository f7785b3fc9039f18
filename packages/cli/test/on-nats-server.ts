/**
 * Tests on a real `nats-server` of their own.
 *
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findNatsServer, type LocalNatsServer, startNatsServer } from "@coppice/net-nats";
import { afterAll, beforeAll, describe } from "vitest";

const executable = findNatsServer({
  given: process.env["COPPICE_NATS_SERVER"],
  path: process.env["PATH"] ?? "",
});

/** The server of a suite, once its tests run. */
export interface SuiteServer {
  readonly url: string;
}

/**
 * A suite whose tests share a server. Where no server can be found it is skipped, and that is said.
 *
 * `configure` may write files into a folder, which is removed at the end, and returns what the server's configuration has.
 */
export function describeOnNatsServer(
  title: string,
  tests: (server: SuiteServer) => void,
  configure: (folder: string) => Promise<string | undefined> = async () => undefined,
): void {
  if (executable === undefined)
    process.stderr.write(`SKIPPED: ${title}: no nats-server was found\n`);
  describe.skipIf(executable === undefined)(title, () => {
    let folder: string;
    let server: LocalNatsServer;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "coppice-suite-"));
      const configuration = await configure(folder);
      const options = { executable: executable!, storeDir: folder };
      server = await startNatsServer({
        ...options,
        ...(configuration === undefined ? {} : { configuration }),
      });
    });

    afterAll(async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    });

    tests({
      get url() {
        return server.url;
      },
    });
  });
}
