/**
 * The named process that is called: it writes down each execution, with the epoch under which it ran.
 *
 * @module
 */
import { samePid } from "@coppice/kernel";
import { GenServer } from "@coppice/otp";
import type { WorkloadContext } from "./workload.ts";

/** What a call answers. */
export interface Answer {
  readonly epoch: number;
  readonly pid: string;
}

export class Counter extends GenServer {
  readonly #context: WorkloadContext;
  readonly #name: string;
  #count = 0;
  #epoch: number | undefined;

  constructor(context: WorkloadContext, name: string) {
    super();
    this.#context = context;
    this.#name = name;
  }

  override init(): void {
    recordLife(this.#context, this.self.pid);
  }

  act(id: string): Answer {
    const epoch = this.#epoch ?? this.#epochNow();
    const pid = this.self.pid.toString();
    const { node, log } = this.#context;
    if (typeof id !== "string") return { epoch, pid }; // Garbage that happened to be a call.
    log.record({ type: "execution", id, name: this.#name, node: node.name, pid, epoch });
    this.#count += 1;
    return { epoch, pid };
  }

  override save(): number {
    return this.#count;
  }

  override load(count: number): void {
    this.#count = count;
  }

  #epochNow(): number {
    const entry = this.#context.node.names().find(({ name }) => name === this.#name);
    // Until the node has heard that its write of this pid was accepted, it knows the epoch of its claim alone.
    if (entry?.pid !== undefined && samePid(entry.pid, this.self.pid)) this.#epoch = entry.epoch;
    return entry?.epoch ?? 0;
  }
}

/** Writes down that a process started, and later that it ended. */
export function recordLife(
  { node, log }: WorkloadContext,
  pid: GenServer["self"]["pid"],
  of: { readonly supervisor?: string; readonly child?: string } = {},
): void {
  const event = { node: node.name, pid: pid.toString(), ...of };
  log.record({ type: "start", ...event });
  node.kernel.monitor(pid, () => log.record({ type: "end", ...event }));
}
