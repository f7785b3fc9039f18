/**
 * Whether a suite can run on a machine, decided from what was observed of it.
 *
 * @module
 */

/** What was looked at, in the order in which it matters. */
export interface MachineFacts {
  /** As `process.platform` says it. */
  readonly platform: string;
  readonly isRoot: boolean;
  /** Programs or files that are not there, after an attempt to install their packages. */
  readonly missing: readonly MissingPackage[];
  /** What the machine said when the real thing was tried in small; nothing if it worked or was not tried. */
  readonly refusal?: string;
}

export interface MissingPackage {
  /** Debian's name. */
  readonly name: string;
  /** Why it could not be installed. */
  readonly why: string;
}

export type Decision =
  | { readonly type: "run" }
  /** `lack`: what it would take. `why`: one sentence without a full stop. */
  | { readonly type: "skip"; readonly lack: Lack; readonly why: string };

type Lack = "platform" | "right" | "package" | "kernel";

export function decide(facts: MachineFacts): Decision {
  const { platform, isRoot, missing, refusal } = facts;
  if (platform !== "linux")
    return { type: "skip", lack: "platform", why: `it takes Linux, and this is ${platform}` };
  if (!isRoot) return { type: "skip", lack: "right", why: "it takes root" };
  if (missing.length > 0) {
    const list = missing.map(({ name, why }) => `${name} (${why})`).join(", ");
    return { type: "skip", lack: "package", why: `missing packages: ${list}` };
  }
  if (refusal !== undefined)
    return { type: "skip", lack: "kernel", why: `this machine refuses it: ${refusal}` };
  return { type: "run" };
}
