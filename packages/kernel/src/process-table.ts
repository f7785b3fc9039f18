/**
 * Who lives on this node: processes by pid, by local name, and by alias.
 *
 * @module
 */
import type { Behaviour, ProcessFunction, SpawnOptions } from "./behaviour.ts";
import { NameTakenError } from "./errors.ts";
import type { Kernel } from "./kernel.ts";
import { Pid } from "./pid.ts";
import { Process } from "./process.ts";
import { Self } from "./self.ts";
import type { NodeAddress } from "./signal.ts";

/** The longest local name, in UTF-16 units: as long as an atom. */
export const nameLengthMax = 255;

/** An alias of a process: messages to it arrive while it is active (A4.7). */
interface Alias {
  readonly owner: Process;
  /** Whether the first message that arrives is its last. */
  readonly once: boolean;
}

export class ProcessTable {
  readonly address: NodeAddress;
  readonly #kernel: Kernel;
  readonly #processes = new Map<number, Process>();
  readonly #names = new Map<string, Process>();
  readonly #aliases = new Map<number, Alias>();
  #serial = 0;

  constructor(kernel: Kernel, address: NodeAddress) {
    this.#kernel = kernel;
    this.address = address;
  }

  get size(): number {
    return this.#processes.size;
  }

  values(): IterableIterator<Process> {
    return this.#processes.values();
  }

  /** Makes the record of a new process. @throws {NameTakenError} if its name is. */
  add(code: Behaviour | ProcessFunction, options: SpawnOptions): Process {
    const { name } = options;
    if (name !== undefined) this.#assertFree(name);
    const pid = this.#nextPid();
    const process = new Process(pid, new Self(this.#kernel, pid), code, options);
    this.#processes.set(pid.serial, process);
    if (name !== undefined) this.#name(process, name);
    return process;
  }

  /** The live process with this pid. */
  get(pid: Pid): Process | undefined {
    const { node, incarnation } = this.address;
    if (pid.node !== node || pid.incarnation !== incarnation) return undefined;
    return this.#processes.get(pid.serial);
  }

  /** Whether a pid is one of this node, of whichever life. */
  isHere(pid: Pid): boolean {
    return pid.node === this.address.node;
  }

  /** What tells processes apart in a map: quicker to make for those of this node. */
  keyOf(pid: Pid): number | string {
    const { node, incarnation } = this.address;
    return pid.node === node && pid.incarnation === incarnation ? pid.serial : pid.toString();
  }

  /** Forgets a process that ended, its name and its aliases. Whether it was there. */
  remove(process: Process): boolean {
    if (!this.#processes.delete(process.pid.serial)) return false;
    if (process.name !== undefined) this.#names.delete(process.name);
    for (const serial of process.relations?.aliases ?? []) this.#aliases.delete(serial);
    return true;
  }

  named(name: string): Process | undefined {
    return this.#names.get(name);
  }

  /** @throws {NameTakenError} {RangeError} as `Kernel.register` says. */
  register(name: string, pid: Pid): void {
    this.#assertFree(name);
    const process = this.get(pid);
    if (process === undefined) throw new RangeError(`cannot register ${name}: ${pid} is not alive`);
    if (process.name !== undefined)
      throw new RangeError(`cannot register ${name}: ${pid} is named ${process.name}`);
    this.#name(process, name);
  }

  /** Whether there was such a name. */
  unregister(name: string): boolean {
    const process = this.#names.get(name);
    if (process !== undefined) process.relate().name = undefined;
    return this.#names.delete(name);
  }

  addAlias(owner: Process, once: boolean): Pid {
    const alias = this.#nextPid();
    this.#aliases.set(alias.serial, { owner, once });
    const relations = owner.relate();
    relations.aliases ??= new Set();
    relations.aliases.add(alias.serial);
    return alias;
  }

  /** Whether it was active. */
  removeAlias(alias: Pid): boolean {
    const entry = this.#aliases.get(alias.serial);
    if (entry === undefined || !this.#isOfThisLife(alias)) return false;
    entry.owner.relations?.aliases?.delete(alias.serial);
    return this.#aliases.delete(alias.serial);
  }

  /** Who gets a message that was sent to an alias. */
  behind(alias: Pid): Process | undefined {
    if (this.#aliases.size === 0 || !this.#isOfThisLife(alias)) return undefined;
    const entry = this.#aliases.get(alias.serial);
    if (entry?.once === true) this.removeAlias(alias);
    return entry?.owner;
  }

  get aliases(): number {
    return this.#aliases.size;
  }

  #isOfThisLife(pid: Pid): boolean {
    return pid.node === this.address.node && pid.incarnation === this.address.incarnation;
  }

  #nextPid(): Pid {
    this.#serial += 1;
    return new Pid(this.address.node, this.address.incarnation, this.#serial);
  }

  #assertFree(name: string): void {
    if (typeof name !== "string" || name === "" || name.length > nameLengthMax)
      throw new RangeError(`a name must be a text of 1 to ${nameLengthMax} characters`);
    const holder = this.#names.get(name);
    if (holder !== undefined) throw new NameTakenError(name, holder.pid);
  }

  #name(process: Process, name: string): void {
    process.relate().name = name;
    this.#names.set(name, process);
  }
}
