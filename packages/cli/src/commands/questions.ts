/**
 * The commands that ask: nodes, names, ps, tree.
 *
 * @module
 */
import type { ProcessRow } from "@coppice/cluster";
import type { ClusterClient } from "../client.ts";
import { NoClusterError } from "../exit-codes.ts";
import { buildTrees, table, treeText } from "../tables.ts";

/** What a command found: the same as data and as text. */
export interface Found {
  readonly data: unknown;
  readonly text: string;
}

export async function nodes(client: ClusterClient): Promise<Found> {
  const rows = await client.nodes();
  const columns = ["name", "incarnation", "osPid", "status", "names", "lagMs"];
  return { data: rows, text: table(columns, toCells(rows)) };
}

export async function names(client: ClusterClient): Promise<Found> {
  const rows = await client.names();
  return { data: rows, text: table(["name", "node", "pid", "epoch"], toCells(rows)) };
}

export async function ps(client: ClusterClient, warn: (line: string) => void): Promise<Found> {
  const data = (await allProcesses(client, warn)).flatMap(({ rows }) => rows);
  const columns = ["pid", "name", "node", "kind", "restarts", "mailbox", "status"];
  return { data, text: table(columns, toCells(data)) };
}

export async function tree(client: ClusterClient, warn: (line: string) => void): Promise<Found> {
  const all = await allProcesses(client, warn);
  const data = all.map(({ node, rows }) => ({ node, trees: buildTrees(rows) }));
  const text = data.map(({ node, trees }) => `${node}\n${treeText(trees)}`).join("\n");
  return { data, text };
}

interface NodeProcesses {
  readonly node: string;
  readonly rows: readonly ProcessRow[];
}

/** Of every node that answers; the others are named in a warning. */
async function allProcesses(
  client: ClusterClient,
  warn: (line: string) => void,
): Promise<NodeProcesses[]> {
  const all = await client.nodes();
  const answers = await Promise.all(
    all.map(async ({ name }) => {
      try {
        return [{ node: name, rows: await client.processes(name) }];
      } catch (thrown) {
        if (!(thrown instanceof NoClusterError)) throw thrown;
        warn(thrown.message);
        return [];
      }
    }),
  );
  return answers.flat();
}

function toCells(rows: readonly object[]): readonly Readonly<Record<string, string | number>>[] {
  return rows as readonly Readonly<Record<string, string | number>>[];
}
