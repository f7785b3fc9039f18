/**
 * One scheduler thread, as the node sees it.
 *
 * @module
 */
import { Worker } from "node:worker_threads";
import type { Clock } from "@coppice/kernel";
import type { CompiledArtifact, CompiledComponent } from "../compile.ts";
import { ThreadLostError } from "./errors.ts";
import { type Batch, eachOf, Outbox } from "./outbox.ts";
import { RemoteInstance, type RemoteOptions } from "./remote-instance.ts";
import { functionsByName } from "./thread-imports.ts";
import type { FromThread, InstanceData, ToThread } from "./thread-protocol.ts";

export interface SchedulerThreadOptions {
  readonly clock: Clock;
  /** The most memory of its JavaScript heap, in MiB. The memories of its guests are not part of it. */
  readonly heapMiBMax: number;
  /** Told once, when the thread has ended by itself; the instances on it have been told already. */
  readonly onLost: (error: ThreadLostError) => void;
}

export class SchedulerThread {
  readonly #worker: Worker;
  readonly #outbox: Outbox<ToThread>;
  readonly #instances = new Map<number, RemoteInstance>();
  /** The numbers of components that the thread knows. */
  readonly #components = new WeakMap<CompiledArtifact, number>();
  readonly #unused = new FinalizationRegistry<number>((component) => {
    if (!this.#ended) this.#outbox.push(["forget", component]);
  });
  readonly #onLost: (error: ThreadLostError) => void;
  #lastInstance = 0;
  #lastComponent = 0;
  #ended = false;

  constructor({ clock, heapMiBMax, onLost }: SchedulerThreadOptions) {
    this.#onLost = onLost;
    this.#worker = new Worker(new URL("./thread-main.ts", import.meta.url), {
      name: "coppice-scheduler",
      resourceLimits: { maxOldGenerationSizeMb: heapMiBMax },
    });
    // The node decides how long the program runs, not a thread that waits for work.
    this.#worker.unref();
    const receive = (message: FromThread): void =>
      this.#instances.get(message[1])?.receive(message);
    this.#worker.on("message", (batch: Batch) =>
      eachOf(batch, (message) => receive(message as unknown as FromThread)),
    );
    this.#worker.once("error", (error) => this.#lost(error));
    this.#worker.once("exit", (code) => this.#lost(new Error(`exit code ${code}`)));
    this.#outbox = new Outbox(
      clock,
      (batch) => this.#worker.postMessage(batch),
      (message, error) => {
        if (message[0] === "know" || message[0] === "forget") this.#lost(error);
        else this.#instances.get(message[1])?.refused(message, error);
      },
    );
  }

  /** How many instances it runs. */
  get instances(): number {
    return this.#instances.size;
  }

  /** Lets the thread load the component's script, so that an instance of it starts sooner. */
  prepare({ artifact }: CompiledComponent): number {
    const known = this.#components.get(artifact);
    if (known !== undefined) return known;
    this.#lastComponent += 1;
    this.#components.set(artifact, this.#lastComponent);
    this.#unused.register(artifact, this.#lastComponent);
    this.#outbox.push(["know", this.#lastComponent, artifact]);
    return this.#lastComponent;
  }

  /** An instance on this thread. @throws what `instantiate` throws, and {@link ThreadLostError} if the thread ends. */
  async open(compiled: CompiledComponent, options: RemoteOptions): Promise<RemoteInstance> {
    this.#lastInstance += 1;
    const id = this.#lastInstance;
    const imports = functionsByName(compiled.world, options.imports);
    const instance = new RemoteInstance(
      id,
      { ...options, imports },
      {
        post: (message) => this.#outbox.push(message),
        closed: () => this.#instances.delete(id),
      },
    );
    this.#instances.set(id, instance);
    const component = this.prepare(compiled);
    this.#outbox.push(["open", id, component, [...imports.keys()], dataOf(options)]);
    await instance.opened;
    return instance;
  }

  /** Ends the thread, whatever it does, and with it its instances. */
  async end(): Promise<void> {
    if (this.#ended) return;
    this.#lost(new Error("it was stopped"));
    await this.#worker.terminate();
  }

  #lost(cause: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    const error = new ThreadLostError({ cause });
    const instances = [...this.#instances.values()];
    this.#instances.clear();
    for (const instance of instances) instance.lost(error);
    this.#onLost(error);
  }
}

function dataOf(options: RemoteOptions): InstanceData {
  const { cpuMsPerCall, cpuMsPerProcess, importMs, payloadBytes, owner, wasi } = options;
  const all = { cpuMsPerCall, cpuMsPerProcess, importMs, payloadBytes, owner, wasi };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
