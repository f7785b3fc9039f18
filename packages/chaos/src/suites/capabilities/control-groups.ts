/**
 * Control groups that freeze, and that limit memory and processor time.
 *
 * @module
 */
import { uniqueName } from "../command.ts";
import { ControlGroup, layoutHere } from "../control-groups.ts";
import type { Capability } from "../capability.ts";

const plentyBytes = 1 << 30;

export const controlGroups: Capability = {
  name: "control groups",
  packages: [],
  attempt: async () => {
    const layout = layoutHere();
    if (layout === undefined)
      throw new Error("no control groups with freezer, memory and cpu are mounted");
    const group = new ControlGroup(layout, uniqueName());
    try {
      group.limitMemory(plentyBytes);
      group.limitProcessor(50);
      await group.freeze();
      group.thaw();
    } finally {
      await group.remove();
    }
  },
};
