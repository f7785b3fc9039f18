/**
 * Erlang in the remote-call benchmark: Debian's `erlang-base`, two nodes on this machine.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { freePort } from "@coppice/net-nats";
import { compileErlang, ensureErlang } from "./erlang.ts";
import type { Load } from "./remote-load.ts";
import { type Reporting, startReporting } from "./remote-processes.ts";

const source = fileURLToPath(new URL("../erlang/remote_calls.erl", import.meta.url));

/** A running peer. */
export interface Erlang {
  readonly ask: (load: Load) => Reporting;
  readonly stop: () => Promise<void>;
}

/** Undefined, and a line that says why, where there is no Erlang and it cannot be installed. */
export async function startErlang(say: (line: string) => void): Promise<Erlang | undefined> {
  if (!ensureErlang(say)) return undefined;
  const folder = await compileErlang(source);
  const env = {
    ...process.env,
    ERL_EPMD_ADDRESS: "127.0.0.1",
    ERL_EPMD_PORT: String(await freePort()),
  };
  const flags = ["-noshell", "-setcookie", "coppice", "-pa", folder];
  flags.push("-kernel", "inet_dist_use_interface", "{127,0,0,1}");
  const erl = (name: string, run: string): Reporting =>
    startReporting("erl", ["-sname", `${name}@localhost`, ...flags, "-eval", run], { env });
  // A name server of its own, in the foreground, so that nothing is left behind.
  const names = startReporting("epmd", ["-address", "127.0.0.1"], { env });
  const answering = erl("answer", "remote_calls:answer().");
  await answering.next();
  let asked = 0;
  return {
    ask: ({ inFlight, payloadBytes, warmUpMs, measureMs }) => {
      asked += 1;
      const load = [inFlight, payloadBytes, warmUpMs, measureMs].join(", ");
      return erl(`ask${asked}`, `remote_calls:ask('answer@localhost', ${load}), halt().`);
    },
    stop: async () => {
      await answering.stop();
      await names.stop();
    },
  };
}
