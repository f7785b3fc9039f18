/**
 * A worker thread as a child: it runs beside the event loop, and is ended even when it loops for ever.
 *
 * @module
 */
import { Worker } from "node:worker_threads";
import { assertPlainData, type Behaviour, type Incoming, normal, type Self } from "@coppice/kernel";
import type { ChildSpec } from "./child-spec.ts";

/** A thread as a child of a supervisor. */
export interface WorkerChildSpec extends Omit<ChildSpec, "start" | "type" | "prepare"> {
  /** The module the thread runs. */
  readonly module: URL;
  /** Plain data the thread finds as `workerData`. */
  readonly data?: unknown;
  /** The most memory of its JavaScript heap, in MiB. Beyond it the thread ends, and with it this child. */
  readonly heapMiBMax?: number;
}

/**
 * A thread as a child. A plain message to the process reaches the thread as a message; what the thread posts reaches
 * the process's parent as a plain message `{ from, data }`. Ending with code 0 is `normal`, another code or an uncaught
 * error a crash.
 */
export function workerChild(spec: WorkerChildSpec): ChildSpec {
  const { module, data, heapMiBMax, ...child } = spec;
  assertPlainData(data, "data");
  const limits =
    heapMiBMax === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: heapMiBMax } };
  const launch = (): Worker => new Worker(module, { workerData: data, ...limits });
  return {
    ...child,
    start: (options, { kernel }) =>
      kernel.start(new WorkerProcess(launch), { kind: "worker-thread", ...options }),
  };
}

class WorkerProcess implements Behaviour {
  readonly #launch: () => Worker;
  #worker: Worker | undefined;

  constructor(launch: () => Worker) {
    this.#launch = launch;
  }

  async start(self: Self): Promise<void> {
    const worker = this.#launch();
    this.#worker = worker;
    await new Promise<void>((resolve, reject) => {
      worker.once("online", resolve);
      worker.once("error", reject);
    });
    worker.on("error", (thrown) => self.crash(thrown));
    worker.on("messageerror", (thrown) => self.crash(thrown));
    worker.on("exit", (code) => {
      self.exit(code === 0 ? normal : { type: "exit", value: { threadExitCode: code } });
    });
    worker.on("message", (data: unknown) => {
      try {
        if (self.parent !== undefined) self.send(self.parent, { from: self.pid, data });
      } catch (thrown) {
        self.crash(thrown); // A thread can post what is not plain data: an Error, say.
      }
    });
  }

  handle(message: Incoming): void {
    if (message.type === "info") this.#worker?.postMessage(message.message);
    if (message.type !== "call") return;
    const text = `a worker thread has no function ${message.method}: send it a message`;
    const failure = { code: "unknown_function", executed: "no", message: text } as const;
    message.reply({ ok: false, failure });
  }

  ended(): void {
    void this.#worker?.terminate();
  }

  describe(): Readonly<Record<string, unknown>> {
    return { threadId: this.#worker?.threadId };
  }
}
