/**
 * The negative control: loaded first, it takes out of a node's own code the question whether the node may still act for
 * a name before each message and answer. A run has to find violations then.
 *
 * @module
 */
import { patchSources } from "../simulation/source-patch.ts";

patchSources([
  {
    file: "packages/cluster/src/singleton.ts",
    find: "fence: () => !this.#closed && (isFree || mayAct()),",
    replace: "fence: () => !this.#closed && (isFree || mayAct() || true),",
  },
]);
