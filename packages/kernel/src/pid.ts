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
