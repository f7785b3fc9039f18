/**
 * Artifacts whose bucket is opened when one is first put or got: most clusters never make it.
 *
 * @module
 */
import type { Artifacts } from "@coppice/net";

export class LateArtifacts implements Artifacts {
  readonly #open: () => Promise<Artifacts>;
  #opened: Promise<Artifacts> | undefined;

  constructor(open: () => Promise<Artifacts>) {
    this.#open = open;
  }

  async put(bytes: Uint8Array): Promise<string> {
    return (await this.#bucket()).put(bytes);
  }

  async get(digest: string): Promise<Uint8Array | undefined> {
    return (await this.#bucket()).get(digest);
  }

  async #bucket(): Promise<Artifacts> {
    this.#opened ??= this.#open();
    try {
      return await this.#opened;
    } catch (thrown) {
      this.#opened = undefined; // The next time the server may be there.
      throw thrown;
    }
  }
}
