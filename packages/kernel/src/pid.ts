/**
 * Process identifiers: who a process is, for ever.
 *
 * A pid names the node, the node's incarnation and a serial number, so a pid of a node that restarted never means a
 * process of its successor (the conformance notes' "creation").
 *
 * @module
 */

/** The identity of one process. Plain data in spirit: it crosses nodes and compares by {@link samePid}. */
export class Pid {
  /** The node's name. */
  readonly node: string;
  /** Which life of that node: a new one for every start. */
  readonly incarnation: string;
  /** Counts the processes of that life, from 1. */
  readonly serial: number;

  constructor(node: string, incarnation: string, serial: number) {
    this.node = node;
    this.incarnation = incarnation;
    this.serial = serial;
  }

  /** `<node>.<incarnation>.<serial>`, as shown to people and accepted by {@link parsePid}. */
  toString(): string {
    return `${this.node}.${this.incarnation}.${this.serial}`;
  }

  /** JSON carries the printed form. */
  toJSON(): string {
    return this.toString();
  }
}

/** Whether two pids name the same process. */
export function samePid(a: Pid, b: Pid): boolean {
  return a.serial === b.serial && a.incarnation === b.incarnation && a.node === b.node;
}

/** Reads the printed form back, or returns undefined when `text` is not one. Node names may contain dots. */
export function parsePid(text: string): Pid | undefined {
  const match = /^(.+)\.([0-9a-z]+)\.([1-9][0-9]{0,14})$/.exec(text);
  if (match === null) return undefined;
  const [, node = "", incarnation = "", serial = ""] = match;
  return new Pid(node, incarnation, Number(serial));
}

/** A process that is registered on another node under a local name there (A5.2). */
export interface NamedAddress {
  readonly name: string;
  readonly node: string;
}

/** Where a message goes: a process, a local name of this node, or a local name of another. */
export type Address = Pid | string | NamedAddress;

/** A name on another node, on its way there: that node looks the name up. Only the kernel makes these. */
export class NamedPid extends Pid {
  readonly name: string;

  constructor(node: string, incarnation: string, name: string) {
    super(node, incarnation, 0);
    this.name = name;
  }

  override toString(): string {
    return `${this.name} on ${this.node}`;
  }
}

/** An address as text, for errors. */
export function describeAddress(to: Address): string {
  return typeof to === "string" || to instanceof Pid ? String(to) : `${to.name} on ${to.node}`;
}
