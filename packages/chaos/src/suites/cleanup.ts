/**
 * What has to be taken back when a suite ends: in reverse order, whatever else fails, and also when it is interrupted.
 *
 * @module
 */

type Undo = () => void | Promise<void>;

export class Cleanup {
  readonly #undos: Undo[] = [];
  readonly #say: (line: string) => void;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  /** To be taken back; call it right after what it takes back was done. */
  add(undo: Undo): void {
    this.#undos.push(undo);
  }

  /** Takes everything back. What fails is said, and the rest goes on. */
  async run(): Promise<void> {
    for (let undo = this.#undos.pop(); undo !== undefined; undo = this.#undos.pop())
      try {
        await undo();
      } catch (thrown) {
        this.#say(`could not be taken back: ${String(thrown)}`);
      }
  }
}
