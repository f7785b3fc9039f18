/**
 * The negative control: loaded first, it takes out of a node's own code the question whether the node may still act for
 * a name before each message and answer. A run has to find violations then.
 *
 * @module
 */
import { registerHooks } from "node:module";

const file = "/cluster/src/singleton.ts";
const fence = "fence: () => !this.#closed && (isFree || mayAct()),";
const noFence = "fence: () => !this.#closed && (isFree || mayAct() || true),";

registerHooks({
  load: (url, context, nextLoad) => {
    const loaded = nextLoad(url, context);
    if (!url.endsWith(file)) return loaded;
    const source = String(loaded.source);
    if (!source.includes(fence)) throw new Error(`${url} has no ${fence}: correct this module`);
    return { ...loaded, source: source.replace(fence, noFence) };
  },
});
