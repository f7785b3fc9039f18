/**
 * A scheduler thread: runs the instances it is told to, with the same scheduler and the same sandbox as the node's thread.
 *
 * @module
 */
import { parentPort } from "node:worker_threads";
import { type Logger, systemClock } from "@coppice/kernel";
import { type CompiledComponent, fromArtifact } from "../compile.ts";
import type { HostFunction } from "../host-imports.ts";
import { type ComponentInstance, instantiate } from "../instance.ts";
import { errorFromData, errorToData } from "./error-data.ts";
import { type Batch, eachOf, Outbox } from "./outbox.ts";
import { Scheduler } from "./scheduler.ts";
import type { FromThread, InstanceData, ToThread } from "./thread-protocol.ts";

/** Lines of output passed on in one batch; what a guest writes beyond that is left out, and said so. */
const outputLinesMax = 1_000;

/** What waits for the calls before it. */
interface Queued {
  readonly request: number;
  readonly run: (instance: ComponentInstance) => unknown;
}

interface Running {
  readonly instance: ComponentInstance;
  readonly queue: Queued[];
  busy: boolean;
}

const port = parentPort!;
const scheduler = new Scheduler({ clock: systemClock });
const components = new Map<number, Promise<CompiledComponent>>();
const instances = new Map<number, Running>();
/** What waits for a host function. */
const waiting = new Map<number, PromiseWithResolvers<unknown>>();
let lastRequest = 0;
let outputLines = 0;

const outbox = new Outbox<FromThread>(
  systemClock,
  (batch) => {
    port.postMessage(batch);
    outputLines = 0;
  },
  (message, error) => {
    if (message[0] === "answer") fail(message[1], message[2], error);
    else if (message[0] === "import") waiting.get(message[2])?.reject(error);
  },
);

port.on("message", (batch: Batch) =>
  eachOf(batch, (message) => receive(message as unknown as ToThread)),
);

function receive(message: ToThread): void {
  switch (message[0]) {
    case "know": {
      const compiled = fromArtifact(message[2]);
      compiled.catch(() => {}); // Whoever opens one is told.
      components.set(message[1], compiled);
      return;
    }
    case "forget":
      components.delete(message[1]);
      return;
    case "open":
      void open(message[1], message[2], message[3], message[4]);
      return;
    case "call": {
      const [, id, request, name, ...args] = message;
      enqueue(id, { request, run: (instance) => instance.call(name, args) });
      return;
    }
    case "save":
      enqueue(message[1], { request: message[2], run: (instance) => instance.save() });
      return;
    case "load": {
      const [, id, request, snapshot] = message;
      enqueue(id, { request, run: (instance) => instance.load(snapshot) });
      return;
    }
    case "die":
      instances.get(message[1])?.instance.die(errorFromData(message[2]));
      instances.delete(message[1]);
      return;
    case "returned":
      waiting.get(message[2])?.resolve(message[3]);
      waiting.delete(message[2]);
      return;
    case "threw":
      waiting.get(message[2])?.reject(errorFromData(message[3]));
      waiting.delete(message[2]);
  }
}

async function open(
  id: number,
  component: number,
  names: readonly string[],
  options: InstanceData,
): Promise<void> {
  try {
    const compiled = await components.get(component)!;
    const imports = Object.fromEntries(names.map((name) => [name, hostFunction(id, name)]));
    const onOutput = (stream: "stdout" | "stderr", line: string): void => output(id, stream, line);
    const sides = { imports, onOutput, scheduler, logger: loggerOf(id) };
    const instance = await instantiate(compiled, { ...options, ...sides });
    instances.set(id, { instance, queue: [], busy: false });
    outbox.push(["opened", id]);
  } catch (thrown) {
    outbox.push(["refused", id, errorToData(thrown)]);
  }
}

function enqueue(id: number, queued: Queued): void {
  const running = instances.get(id);
  if (running === undefined) return; // It was told to die, so nobody waits.
  running.queue.push(queued);
  if (!running.busy) void work(id, running);
}

async function work(id: number, running: Running): Promise<void> {
  const { instance, queue } = running;
  running.busy = true;
  let next: Queued | undefined;
  while ((next = queue.shift()) !== undefined) {
    const { request, run } = next;
    try {
      const value = await run(instance);
      outbox.push(["answer", id, request, value, instance.cpuMs, instance.handles]);
    } catch (thrown) {
      fail(id, request, thrown);
    }
  }
  running.busy = false;
}

function fail(id: number, request: number, thrown: unknown): void {
  const { cpuMs = 0, handles = 0 } = instances.get(id)?.instance ?? {};
  outbox.push(["failure", id, request, errorToData(thrown), cpuMs, handles]);
}

function hostFunction(id: number, name: string): HostFunction {
  return (...args: never[]) => {
    lastRequest += 1;
    const wait = Promise.withResolvers<unknown>();
    waiting.set(lastRequest, wait);
    outbox.push(["import", id, lastRequest, name, ...args]);
    return wait.promise;
  };
}

/** What is said of an instance is said on the node. */
function loggerOf(id: number): Logger {
  const say =
    (level: keyof Logger): Logger["debug"] =>
    (fields, message) =>
      outbox.push(["log", id, level, fields, message]);
  return { debug: say("debug"), info: say("info"), warn: say("warn"), error: say("error") };
}

function output(id: number, stream: "stdout" | "stderr", line: string): void {
  outputLines += 1;
  if (outputLines < outputLinesMax) outbox.push(["output", id, stream, line]);
  else if (outputLines === outputLinesMax)
    outbox.push(["output", id, stream, "(more was written than is passed on, and left out)"]);
}
