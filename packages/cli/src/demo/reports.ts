/**
 * What the demo says about the log lines of its nodes: crashes, restarts, takeovers, in words.
 *
 * @module
 */
import { styleText } from "node:util";
import type { LogLine } from "./demo-node.ts";

/** Lines of a guest's stderr that are shown. */
const stderrLinesMax = 8;

/** The text for one log line; undefined for one that is not worth a person's time. */
export function reportText(line: LogLine): string | undefined {
  const node = text(line["node"]);
  switch (line["event"]) {
    case "crash":
      return line["kind"] === "live-view" ? viewCrash(line, node) : crash(line, node);
    case "child_terminated":
      return `  supervisor ${text(line["supervisor"])} of node ${node}: ${text(line["child"])} is ${text(line["action"])}`;
    case "supervisor_shutdown":
      return styleText(
        "red",
        `✖ node ${node}: ${text(line["message"])}; its own supervisor decides`,
      );
    case "name_owned":
      return styleText(
        "green",
        `✔ ${text(line["message"])} (node ${node}, epoch ${text(line["epoch"])})`,
      );
    case "takeover":
      return `  node ${node} ${text(line["message"])}`;
    case "session_lost":
    case "start_error":
    case "shutdown_error":
    case "mount_failed":
    case "network_error":
      return styleText("yellow", `! node ${node}: ${text(line["message"])}`);
    default:
      return undefined;
  }
}

function crash(line: LogLine, node: string): string {
  const error = (line["reason"] as { readonly error?: Failure } | undefined)?.error;
  const written = error?.details?.stderr ?? [];
  const stderr = written.filter((each) => each.trim() !== "").slice(0, stderrLinesMax);
  return [
    styleText("red", `✖ ${text(line["name"] ?? line["pid"])} crashed on node ${node}`),
    `  pid     ${text(line["pid"])}`,
    `  during  ${text(line["during"])}`,
    `  reason  ${error?.name ?? "exit"}: ${error?.message ?? text(line["message"])}`,
    ...stderr.map((each) => `  stderr  ${each}`),
  ].join("\n");
}

interface Failure {
  readonly name: string;
  readonly message: string;
  readonly details?: { readonly stderr?: readonly string[] };
}

function viewCrash(line: LogLine, node: string): string {
  return `  the page ${text(line["name"])} (${text(line["pid"])}) on node ${node} crashed too; its browser comes back`;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : value === undefined ? "?" : JSON.stringify(value);
}
