/**
 * Where a machine has its control groups, from its list of mounts.
 *
 * @module
 */

export const controllers = ["freezer", "memory", "cpu"] as const;
export type Controller = (typeof controllers)[number];

export interface ControlGroupLayout {
  readonly version: 1 | 2;
  /** The folder of each controller: one for all of them in version 2. */
  readonly roots: Readonly<Record<Controller, string>>;
}

/**
 * @param mounts is the text of `/proc/mounts`.
 * @param read gives the text of a file, or nothing.
 * @returns nothing if one of the controllers cannot be used.
 */
export function layoutOf(
  mounts: string,
  read: (path: string) => string,
): ControlGroupLayout | undefined {
  const entries = mounts.split("\n").map((line) => line.split(" "));
  const old = new Map(
    entries
      .filter(([, , type]) => type === "cgroup")
      .flatMap(([, path = "", , options = ""]) =>
        options.split(",").map((option) => [option, path] as const),
      ),
  );
  const [freezer, memory, cpu] = controllers.map((controller) => old.get(controller));
  if (freezer !== undefined && memory !== undefined && cpu !== undefined)
    return { version: 1, roots: { freezer, memory, cpu } };
  const [, root] = entries.find(([, , type]) => type === "cgroup2") ?? [];
  if (root === undefined) return undefined;
  const enabled = read(`${root}/cgroup.subtree_control`).trim().split(" ");
  // Freezing is part of version 2 itself.
  if (!enabled.includes("memory") || !enabled.includes("cpu")) return undefined;
  return { version: 2, roots: { freezer: root, memory: root, cpu: root } };
}
