/**
 * Names for processes that run already: registered and unregistered from any node, checked like those of singletons.
 *
 * A registered process keeps running where it is. While its node may not act it handles nothing; when the
 * session is lost, or another owns the name, it is killed. Its end gives the name up.
 *
 * @module
 */
import { CallError, type Kernel, kill, Pid, samePid } from "@coppice/kernel";
import { BadFrameError } from "@coppice/net";
import { ClusterNameTakenError, ClusterNameNotRegisteredError } from "./errors.ts";
import { NameFences } from "./name-fences.ts";
import type { Names } from "./names.ts";
import type { NodePort } from "./node-port.ts";
import type { Sessions } from "./sessions.ts";

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
  readonly #fences: NameFences;
  readonly #registered = new Map<string, Registration>();
  /** Names that are being given up, or could not be: their entries still say that a process of this node has them. */
  readonly #givenUp = new Set<string>();

  constructor(options: {
    readonly kernel: Kernel;
    readonly names: Names;
    readonly sessions: Sessions;
    readonly port: NodePort;
  }) {
    this.#kernel = options.kernel;
    this.#names = options.names;
    this.#sessions = options.sessions;
    this.#port = options.port;
    const { node } = this.#kernel.address;
    this.#fences = new NameFences(this.#kernel, (name) => this.#mayAct(name));
    this.#port.on("name.register", async (_, [name, pid]) => {
      if (typeof name !== "string" || !isPidOf(pid, node))
        throw new BadFrameError("a registration is malformed");
      await this.#registerHere(name, pid);
    });
    this.#port.on("name.reregister", async (_, [name, pid]) => {
      if (typeof name !== "string" || !(pid instanceof Pid))
        throw new BadFrameError("a registration is malformed");
      await this.#passHere(name, pid);
    });
    this.#port.on("name.expect", (_, [name, pid]) => {
      if (typeof name !== "string" || !isPidOf(pid, node))
        throw new BadFrameError("a registration is malformed");
      this.#expect(name, pid);
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

  /** Gives a registered name to another process, of any node, in one write. */
  async reregister(name: string, pid: Pid): Promise<void> {
    const entry = this.#names.get(name);
    if (entry === undefined || !this.#names.isOwned(name)) return this.register(name, pid);
    if (this.#names.isOurs(name)) return this.#passHere(name, pid);
    await this.#port.call(entry.owner, "name.reregister", [name, pid], remoteTimeoutMs);
  }

  /** Takes the name from the process that was registered, which runs on. */
  async unregister(name: string): Promise<void> {
    const entry = this.#names.get(name);
    if (entry === undefined || !this.#names.isOwned(name))
      throw new ClusterNameNotRegisteredError(name);
    if (this.#names.isOurs(name)) return this.#unregisterHere(name);
    await this.#port.call(entry.owner, "name.unregister", [name], remoteTimeoutMs);
  }

  /** Whether the name of a process of this node is being given up, or could not be: its entry still says that it has it. */
  isGivenUp(name: string): boolean {
    return this.#givenUp.has(name) && this.#names.isOurs(name);
  }

  /** This node's session is lost. */
  sessionLost(): void {
    for (const name of this.#registered.keys()) this.#kill(name);
  }

  async #registerHere(name: string, pid: Pid): Promise<void> {
    this.#assertAlive(name, pid);
    const holder = {};
    if (!this.#names.hold(name, holder))
      throw new ClusterNameTakenError(name, this.#names.get(name)?.pid);
    try {
      if (!(await this.#names.claim(name)))
        throw new ClusterNameTakenError(name, this.#names.get(name)?.pid);
      this.#fences.add(name, pid); // From here on others may call it by that name.
      if (!(await this.#names.publish(name, pid)))
        throw new ClusterNameTakenError(name, this.#names.get(name)?.pid);
    } catch (thrown) {
      this.#fences.remove(name, pid);
      // It may have been published: until somebody takes the name, the process is not to answer to it unfenced.
      this.#givenUp.add(name);
      this.#names.letGo(name, holder);
      throw thrown;
    }
    this.#adopt(name, pid, holder);
  }

  /** The process has the name now, and this node owns it. */
  #adopt(name: string, pid: Pid, holder: object): void {
    const stopMonitor = this.#kernel.monitor(pid, () => void this.#release(name));
    const stopWatch = this.#names.observe(name, () => {
      if (!this.#names.isOurs(name)) this.#kill(name);
    });
    const stop = (): void => {
      stopMonitor();
      stopWatch();
      this.#names.letGo(name, holder);
      this.#fences.remove(name, pid);
    };
    this.#registered.set(name, { pid, stop });
    this.#givenUp.delete(name);
    this.#fences.add(name, pid);
  }

  /** Gives a name of a process of this node to another process. */
  async #passHere(name: string, pid: Pid): Promise<void> {
    const registration = this.#registered.get(name);
    if (registration === undefined) throw new ClusterNameNotRegisteredError(name);
    const isHere = pid.node === this.#kernel.address.node;
    if (isHere) this.#assertAlive(name, pid);
    else await this.#port.call(pid, "name.expect", [name, pid], remoteTimeoutMs);
    this.#forget(name); // It runs on, whatever becomes of the name.
    const holder = {};
    const isHeld = this.#names.hold(name, holder);
    try {
      if (!isHeld || !(await this.#names.pass(name, pid)))
        throw new ClusterNameTakenError(name, this.#names.get(name)?.pid);
    } catch (thrown) {
      if (this.#names.isOurs(name)) this.#adopt(name, registration.pid, holder);
      else this.#names.letGo(name, holder);
      throw thrown;
    }
    if (isHere) this.#adopt(name, pid, holder);
    else this.#names.letGo(name, holder);
  }

  /** A process of this node is about to get a name: from the moment in which the owner has written so. */
  #expect(name: string, pid: Pid): void {
    this.#assertAlive(name, pid);
    const stop = this.#names.observe(name, () => {
      const entry = this.#names.get(name);
      if (entry?.pid === undefined || !samePid(entry.pid, pid) || !this.#names.isOurs(name)) return;
      forget();
      const holder = {};
      if (this.#names.hold(name, holder)) this.#adopt(name, pid, holder);
    });
    const stopTimer = this.#kernel.clock.after(remoteTimeoutMs, () => stop());
    const forget = (): void => {
      stop();
      stopTimer();
    };
  }

  #assertAlive(name: string, pid: Pid): void {
    if (!this.#kernel.isAlive(pid))
      throw new RangeError(`cannot register ${name}: ${pid} is not alive`);
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
      if (!this.#names.isOurs(name)) this.#givenUp.delete(name);
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

  #mayAct(name: string): boolean {
    return this.#names.isOurs(name) && this.#sessions.mayActWith(this.#names.get(name)!.epoch);
  }
}

function isPidOf(value: unknown, node: string): value is Pid {
  return typeof value === "object" && value !== null && (value as Pid).node === node;
}
