/**
 * The state of a component's process, asked for and replaced as that of a gen-server is: by snapshots, so that a process
 * that is handed to another node takes its state along.
 *
 * @module
 */
import type { Incoming, IncomingCall, Logger, Self } from "@coppice/kernel";
import { isSystemCall, type SystemEnvelope, type SystemRequest } from "@coppice/otp";
import type { Instance } from "./instance.ts";
import { SnapshotRefusedError, SnapshotTooLargeError } from "./snapshot-errors.ts";

/** What a component's process leaves to its successor. */
export interface ComponentSnapshot {
  /** See `takeSnapshot`. */
  readonly snapshot: Uint8Array;
}

/** The process's side of system requests. */
export class ComponentState {
  readonly #instance: Instance;
  readonly #logger: Logger;
  readonly #bytesMax: number;
  /** Resolves when no call is in progress. */
  readonly #idle: () => Promise<void>;
  #suspended = false;

  constructor(options: {
    readonly instance: Instance;
    readonly logger: Logger;
    readonly bytesMax: number;
    readonly idle: () => Promise<void>;
  }) {
    this.#instance = options.instance;
    this.#logger = options.logger;
    this.#bytesMax = options.bytesMax;
    this.#idle = options.idle;
  }

  /** Answers a request. When that suspends the process, answers all until it is resumed: other messages wait meanwhile. */
  async answer(message: IncomingCall, self: Self): Promise<void> {
    await this.#idle();
    await this.#one(message);
    while (this.#suspended)
      await this.#one((await self.receive((each: Incoming) => isSystemCall(each))) as IncomingCall);
  }

  async #one(message: IncomingCall): Promise<void> {
    const { request } = message.args[0] as SystemEnvelope;
    try {
      message.reply({ ok: true, value: await this.#carryOut(request) });
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      message.reply({ ok: false, failure: { code: "failed", executed: "maybe", message: why } });
    }
  }

  async #carryOut(request: SystemRequest): Promise<unknown> {
    switch (request.type) {
      case "suspend":
        this.#suspended = true;
        return undefined;
      case "resume":
        this.#suspended = false;
        return undefined;
      case "get_state":
        return this.#saved();
      case "replace_state":
        return this.#load(request.change({}));
      case "get_status":
        return { status: this.#suspended ? "suspended" : "running", server: "component" };
      case "change_code":
        throw new TypeError("a component's code is not changed while it runs: start the new one");
    }
  }

  /** Nothing where it cannot be saved: its successor starts anew, which a component has to be able to do anyway. */
  async #saved(): Promise<ComponentSnapshot | undefined> {
    try {
      const snapshot = await this.#instance.save();
      if (snapshot.length > this.#bytesMax)
        throw new SnapshotTooLargeError(snapshot.length, this.#bytesMax);
      return { snapshot };
    } catch (thrown) {
      if (!(thrown instanceof SnapshotRefusedError || thrown instanceof SnapshotTooLargeError))
        throw thrown;
      const fields = { event: "state_not_saved", code: thrown.code };
      this.#logger.warn(fields, `the component's state is not saved: ${thrown.message}`);
      return undefined;
    }
  }

  async #load(state: Partial<ComponentSnapshot> | null | undefined): Promise<void> {
    const { snapshot } = state ?? {};
    if (snapshot !== undefined) await this.#instance.load(snapshot);
  }
}
