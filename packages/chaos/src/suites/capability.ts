/**
 * Looks at the machine for what a suite needs, and installs the packages that are missing where that is allowed.
 *
 * @module
 */
import { globSync } from "node:fs";
import { installPackage } from "@coppice/cli";
import { type Decision, decide, type MissingPackage } from "./capability-policy.ts";

export interface Capability {
  /** For people, such as `network namespaces`. */
  readonly name: string;
  /** The packages, each with a file that is there when it is installed (a pattern). */
  readonly packages: readonly (readonly [file: string, name: string])[];
  /** Does the real thing in small and takes it back. @throws if the machine does not allow it. */
  readonly attempt: () => void | Promise<void>;
}

/** @param say is told of every package that is being installed. */
export async function probe(
  capability: Capability,
  say: (line: string) => void,
): Promise<Decision> {
  const { platform } = process;
  const isRoot = process.getuid?.() === 0;
  const early = decide({ platform, isRoot, missing: [] });
  if (early.type === "skip") return early;
  const missing = await installMissing(capability, say);
  if (missing.length > 0) return decide({ platform, isRoot, missing });
  try {
    await capability.attempt();
    return decide({ platform, isRoot, missing });
  } catch (thrown) {
    return decide({ platform, isRoot, missing, refusal: firstLineOf(thrown) });
  }
}

/** What is still missing afterwards. */
async function installMissing(
  { packages }: Capability,
  say: (line: string) => void,
): Promise<MissingPackage[]> {
  const missing: MissingPackage[] = [];
  for (const [file, name] of packages) {
    if (globSync(file).length > 0) continue;
    try {
      await installPackage(name, say);
      if (globSync(file).length === 0)
        missing.push({ name, why: `it brings no ${file}, which is needed` });
    } catch (thrown) {
      missing.push({ name, why: firstLineOf(thrown) });
    }
  }
  return missing;
}

function firstLineOf(thrown: unknown): string {
  return (thrown instanceof Error ? thrown.message : String(thrown)).split("\n")[0]!;
}
