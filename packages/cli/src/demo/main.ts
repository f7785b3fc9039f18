/**
 * `npm run demo`: starts the demo, shows it, takes keys, and leaves nothing behind.
 *
 * @module
 */
import { styleText } from "node:util";
import { CoppiceError } from "@coppice/kernel";
import { Demo } from "./demo.ts";
import type { LogLine } from "./demo-node.ts";
import { reportText } from "./reports.ts";

const interactive = process.stdin.isTTY && process.stdout.isTTY;
const startedMs = performance.now();
/** When a node was lost, until another has taken the room over. */
let lostMs: number | undefined;
/** Resolves to the exit status. */
const quit = Promise.withResolvers<number>();

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function progress(line: string): void {
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1).padStart(5);
  say(styleText("dim", `${seconds} s  `) + line);
}

function onLog(line: LogLine): void {
  const text = reportText(line);
  if (text !== undefined) say(text);
  if (line["event"] !== "name_owned" || line["name"] !== "chat-room" || lostMs === undefined)
    return;
  const tookMs = Math.round(performance.now() - lostMs);
  lostMs = undefined;
  say(
    styleText(
      "green",
      `✔ node ${String(line["node"])} runs chat-room ${tookMs} ms after its node was lost`,
    ),
  );
}

function onNodeEnd(name: string): void {
  lostMs = performance.now();
  say(styleText("red", `✖ node ${name} is gone`));
}

function onNatsEnd(): void {
  say(styleText("red", "✖ the nats-server ended: without it the nodes cannot meet"));
  quit.resolve(1);
}

const keysText =
  "keys: c crash the component   k kill its node   r bring nodes back   t trees   q quit";

async function onKey(demo: Demo, key: string): Promise<void> {
  switch (key) {
    case "c":
      return demo.crashRoom();
    case "k":
      await demo.killOwner();
      return;
    case "r":
      await bringBack(demo);
      return say(`${await demo.trees()}\n\n${keysText}`);
    case "t":
      return say(`${await demo.trees()}\n\n${keysText}`);
    case "q":
    case "\u0003": // Ctrl-C: in raw mode the terminal sends no signal.
      return quit.resolve(0);
  }
}

async function bringBack(demo: Demo): Promise<void> {
  for (const name of demo.missing()) {
    progress(`bringing node ${name} back`);
    await demo.startNode(name);
    progress(`node ${name} is back`);
  }
}

function sayError(thrown: unknown): void {
  say(`! ${thrown instanceof Error ? thrown.message : String(thrown)}`);
}

function takeKeys(demo: Demo): void {
  process.stdin.setRawMode(true);
  process.stdin.on("data", (data) => {
    onKey(demo, data.toString("utf8")).catch((thrown: unknown) => {
      // A crash that was asked for is answered with its error: the report tells it better.
      const isCrash = thrown instanceof CoppiceError && thrown.code === "exited";
      if (!isCrash) sayError(thrown);
    });
  });
}

/** How often to look whether whoever started the demo is still there, in milliseconds. */
const parentPollMs = 500;

async function main(): Promise<number> {
  const demo = new Demo({ progress, onLog, onNodeEnd, onNatsEnd });
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const)
    process.on(signal, () => quit.resolve(0));
  const parent = process.ppid;
  const poll = setInterval(() => process.ppid !== parent && quit.resolve(0), parentPollMs);
  try {
    const urls = await Promise.race([demo.start(), quit.promise]);
    if (typeof urls === "number") return urls; // Stopped while it was starting.
    if (interactive) {
      say(`\n${await demo.trees()}\n`);
      for (const url of urls) say(`  ${url}/wasm-chat`);
      say(`\n${keysText}\n`);
      takeKeys(demo);
    } else {
      process.stdout.write(`ready ${urls.join(" ")}\n`);
      // Without keys, this signal is what `r` is with them.
      process.on("SIGUSR2", () => void bringBack(demo).catch(sayError));
    }
    return await quit.promise;
  } catch (thrown) {
    say(`demo: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    return 1;
  } finally {
    clearInterval(poll);
    if (interactive) process.stdin.setRawMode(false);
    progress("stopping");
    await demo.stop();
  }
}

process.exit(await main());
