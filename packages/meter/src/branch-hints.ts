/**
 * Hints that a branch is hardly ever taken, so that the compiler keeps what it leads to out of the way.
 *
 * Source: WebAssembly branch hinting proposal, custom section `metadata.code.branch_hint`.
 *
 * @module
 */
import { ByteWriter } from "./byte-writer.ts";
import { sectionId, type Sections } from "./sections.ts";

const unlikely = 0;

export class BranchHints {
  readonly #functions = new ByteWriter(1_024);
  readonly #hints = new ByteWriter();
  #functionCount = 0;
  #hintCount = 0;

  /** Of the function at hand: the branch at `offset` from the start of its body. In order. */
  unlikely(offset: number): void {
    this.#hints.u32(offset).u32(1).byte(unlikely);
    this.#hintCount += 1;
  }

  functionEnds(index: number): void {
    if (this.#hintCount === 0) return;
    this.#functions.u32(index).u32(this.#hintCount).raw(this.#hints.written());
    this.#functionCount += 1;
    this.#hints.clear();
    this.#hintCount = 0;
  }

  write(sections: Sections): void {
    if (this.#functionCount === 0) return;
    const body = new ByteWriter(this.#functions.length + 64).name("metadata.code.branch_hint");
    body.u32(this.#functionCount).raw(this.#functions.written());
    sections.insertCustom(sectionId.code, body.written());
  }
}
