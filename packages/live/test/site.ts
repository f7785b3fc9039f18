/**
 * A small site for tests: a counter whose button can crash it, on a node of its own.
 *
 * @module
 */
import { Kernel, type LogFields, type Pid, seededRandom, systemClock } from "@coppice/kernel";
import { each, html, type LiveNode, liveServer, type LiveView } from "@coppice/live";
import { startSupervisor } from "@coppice/otp";
import { onTestFinished } from "vitest";

interface Counter {
  readonly count: number;
  readonly lines: readonly string[];
}

const counter: LiveView<Counter> = {
  title: "Counter",
  mount: ({ subscribe }) => {
    subscribe("news");
    return { count: 0, lines: [] };
  },
  events: {
    add: (state, { by }) => ({ ...state, count: state.count + Number(by ?? 1) }),
    say: (state, { line }) => ({ ...state, lines: [...state.lines, line ?? ""] }),
    crash: () => {
      throw new Error("told to");
    },
  },
  handleInfo: (state, message) => ({ ...state, lines: [...state.lines, String(message)] }),
  render: ({ count, lines }) => html`
    <p id="count">${count}</p>
    <button lv-click="add" lv-value-by="2">Add</button>
    <button lv-click="crash">Crash</button>
    <form lv-submit="say"><input name="line" aria-label="Line" /><button>Say</button></form>
    <ul>
      ${each(
        lines,
        (_, index) => index,
        (line) => html`<li>${line}</li>`,
      )}
    </ul>
  `,
};

const broken: LiveView<null> = {
  title: "Broken",
  mount: () => {
    throw new Error("no database");
  },
  render: () => html``,
};

/** Serves the site until the test ends. */
export async function startSite() {
  const logs: LogFields[] = [];
  const keep = (fields: LogFields): void => void logs.push(fields);
  const logger = { debug: keep, info: keep, warn: keep, error: keep };
  const clock = systemClock;
  const random = seededRandom(1);
  const kernel = new Kernel({ node: "a", incarnation: "1", clock, random, logger });
  const subscribers: Pid[] = [];
  const pubsub = { subscribe: (_: string, pid: Pid) => void subscribers.push(pid) };
  const node: LiveNode = { name: "a", kernel, clock, random, logger, pubsub };
  const listening = Promise.withResolvers<string>();
  const server = liveServer({
    id: "web",
    node,
    port: 0,
    views: { "/counter": counter, "/broken": broken },
    home: "/counter",
    appTitle: "Test",
    secret: "secret",
    onListening: listening.resolve,
  });
  const result = await startSupervisor(kernel, { strategy: "one_for_one", children: [server] });
  if (result.type !== "started") throw new Error(JSON.stringify(result));
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      kernel.monitor(result.pid, () => resolve());
      kernel.exit(result.pid, { type: "shutdown" });
    });
  onTestFinished(stop);
  const views = (): Pid[] =>
    kernel.processes().flatMap(({ kind, pid }) => (kind === "live-view" ? [pid] : []));
  return { url: await listening.promise, kernel, logs, subscribers, views, stop };
}
