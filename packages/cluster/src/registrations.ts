/**
 * Names for processes that run already: registered and unregistered from any node, checked like those of singletons.
 *
 * A registered process keeps running where it is. While its node may not act it gets nothing from other nodes; when the
 * session is lost, or another owns the name, it is killed. Its end gives the name up.
 *
 * @module
 */
import {
  CallError,
  type CallFailure,
  type Kernel,
  kill,
  type Outcome,
  type Pid,
} from "@coppice/kernel";
import { BadFrameError } from "@coppice/net";
import { ClusterNameTakenError, ClusterNameNotRegisteredError } from "./errors.ts";
import type { Names } from "./names.ts";
import type { Message, NodePort } from "./node-port.ts";
import type { Sessions } from "./sessions.ts";
import type { SignalRouter } from "./signal-router.ts";

/** How long another node may take to register or unregister one of its processes, in milliseconds. */
const remoteTimeoutMs = 5_000;

interface Registration {
  readonly pid: Pid;
  readonly stop: () => void;
}

export class Registrations {
  readonly #kernel: Kernel;
  readonly #names: Names;
  readonly #sessions: Sessions;
  readonly #port: NodePort;
  readonly #router: SignalRouter;
  readonly #registered = new Map<string, Registration>();
  /** Names that are being given up, or could not be: their entries still say that a process of this node has them. */
  readonly #givenUp = new Set<string>();
  /** The names of a process, by its serial number. */
  readonly #namesOf = new Map<number, Set<string>>();

  constructor(options: {
    readonly kernel: Kernel;
    readonly names: Names;
    readonly sessions: Sessions;
    readonly port: NodePort;
    readonly router: SignalRouter;
  }) {
    this.#kernel = options.kernel;
    this.#names = options.names;
    this.#sessions = options.sessions;
    this.#port = options.port;
    this.#router = options.router;
    const { node } = this.#kernel.address;
    this.#port.on("name.register", async (_, [name, pid]) => {
      if (typeof name !== "string" || !isPidOf(pid, node))
        throw new BadFrameError("a registration is malformed");
      await this.#registerHere(name, pid);
    });
    this.#port.on("name.unregister", (_, [name]) => this.#unregisterHere(String(name)));
  }

  /** Gives a process a name of the cluster. Resolves when every later look-up of a node that heard of it finds it. */
  async register(name: string, pid: Pid): Promise<void> {
    if (this.#names.isOwned(name))
      throw new ClusterNameTakenError(name, this.#names.get(name)?.pid);
    if (pid.node === this.#kernel.address.node) return this.#registerHere(name, pid);
    try {
      await this.#port.call(pid, "name.register", [name, pid], remoteTimeoutMs);
    } catch (thrown) {
      const winner = this.#names.get(name)?.pid;
      if (thrown instanceof CallError && thrown.code === "failed" && this.#names.isOwned(name))
        throw new ClusterNameTakenError(name, winner);
      throw thrown;
    }
  }

  /** Takes the name from the process that was registered, which runs on. */
  async unregister(name: string): Promise<void> {
    const entry = this.#names.get(name);
    if (entry === undefined || !this.#names.isOwned(name))
      throw new ClusterNameNotRegisteredError(name);
    if (this.#names.isOurs(name)) return this.#unregisterHere(name);
    await this.#port.call(entry.owner, "name.unregister", [name], remoteTimeoutMs);
  }

  /** Whether a process of this node may answer for the name now; one that is no registered name may. */
  mayAnswer(name: string): boolean {
    if (this.#registered.has(name)) return this.#mayAct(name);
    return !(this.#givenUp.has(name) && this.#names.isOurs(name));
  }

  /** This node's session is lost. */
  sessionLost(): void {
    for (const name of this.#registered.keys()) this.#kill(name);
  }

  async #registerHere(name: string, pid: Pid): Promise<void> {
    if (!this.#kernel.isAlive(pid))
      throw new RangeError(`cannot register ${name}: ${pid} is not alive`);
    const holder = {};
    if (!this.#names.hold(name, holder))
      throw new ClusterNameTakenError(name, this.#names.get(name)?.pid);
    try {
      if (!(await this.#names.claim(name)) || !(await this.#names.publish(name, pid)))
        throw new ClusterNameTakenError(name, this.#names.get(name)?.pid);
    } catch (thrown) {
      this.#names.letGo(name, holder);
      throw thrown;
    }
    const stopMonitor = this.#kernel.monitor(pid, () => void this.#release(name));
    const stopWatch = this.#names.observe(name, () => {
      if (!this.#names.isOurs(name)) this.#kill(name);
    });
    const stop = (): void => {
      stopMonitor();
      stopWatch();
      this.#names.letGo(name, holder);
      this.#unguard(name, pid);
    };
    this.#registered.set(name, { pid, stop });
    this.#givenUp.delete(name);
    const names = this.#namesOf.get(pid.serial) ?? new Set();
    this.#namesOf.set(pid.serial, names.add(name));
    this.#router.guard(pid, (signal) => this.#guard(names, signal));
  }

  #unguard(name: string, pid: Pid): void {
    const names = this.#namesOf.get(pid.serial);
    names?.delete(name);
    if (names?.size !== 0) return;
    this.#namesOf.delete(pid.serial);
    this.#router.guard(pid, undefined);
  }

  async #unregisterHere(name: string): Promise<void> {
    if (!this.#registered.has(name)) throw new ClusterNameNotRegisteredError(name);
    await this.#release(name);
  }

  async #release(name: string): Promise<void> {
    this.#forget(name);
    this.#givenUp.add(name);
    try {
      await this.#names.release(name);
      this.#givenUp.delete(name);
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown.message : String(thrown);
      this.#kernel.logger.warn(
        { event: "name_release_failed", name, error },
        `the name ${name} could not be given up: ${error}`,
      );
    }
  }

  #forget(name: string): Registration | undefined {
    const registration = this.#registered.get(name);
    this.#registered.delete(name);
    registration?.stop();
    return registration;
  }

  #kill(name: string): void {
    const registration = this.#forget(name);
    if (registration === undefined) return;
    const fields = { event: "name_lost", name, pid: registration.pid.toString() };
    this.#kernel.logger.error(fields, `${registration.pid} lost the name ${name} and is killed`);
    this.#kernel.exit(registration.pid, kill);
  }

  /** Before and after every message of another node (N2): the process must own one of its names. */
  #guard(names: ReadonlySet<string>, signal: Message): boolean {
    const mayAct = (): boolean => [...names].some((name) => this.#mayAct(name));
    if (!mayAct()) {
      if (signal.type === "call") this.#router.answer(signal, refused("no"));
      return true;
    }
    if (signal.type !== "call") return false;
    const { method, args } = signal;
    this.#router.ask(signal.to, { method, args }, (outcome) =>
      this.#router.answer(signal, mayAct() ? outcome : refused("maybe")),
    );
    return true;
  }

  #mayAct(name: string): boolean {
    return this.#sessions.mayAct() && this.#names.isOurs(name);
  }
}

function refused(executed: "no" | "maybe"): Outcome {
  const message = "this process no longer owns its name: ask again, another may";
  const failure: CallFailure = { code: "noconnection", executed, message };
  return { ok: false, failure };
}

function isPidOf(value: unknown, node: string): value is Pid {
  return typeof value === "object" && value !== null && (value as Pid).node === node;
}
