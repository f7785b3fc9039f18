/**
 * What an application is: a module that says what a node supervises.
 *
 * @module
 */
import type { ClusterNode } from "@coppice/cluster";
import type { SupervisorOptions } from "@coppice/otp";

/** What an application is given. */
export interface AppContext {
  readonly node: ClusterNode;
  /** What `coppice start` was given with `--set name=value`. */
  readonly settings: Readonly<Record<string, string>>;
  /** Tells whoever started this node, as one JSON line on stdout. */
  readonly announce: (fields: Readonly<Record<string, unknown>>) => void;
}

/** The default export of an application's module. */
export type Application = (context: AppContext) => SupervisorOptions | Promise<SupervisorOptions>;
