/**
 * What a kind of fault is.
 *
 * @module
 */
import type { Random } from "@coppice/kernel";
import type { Schedulable } from "../schedule-policy.ts";
import type { World } from "../world.ts";

/** A fault that was made. */
export interface Injected {
  /** What it hit. */
  readonly targets: readonly string[];
  /** Takes it back. */
  readonly heal: () => void | Promise<void>;
}

export interface Fault extends Schedulable {
  readonly description: string;
  /** Why it cannot be made here; nothing if it can. Default: it always can. */
  readonly unavailable?: (world: World) => string | undefined;
  readonly inject: (random: Random, world: World) => Injected | Promise<Injected>;
}

/** Why a fault of a group of servers cannot be made with one. */
export const needsThree = ({ servers }: World): string | undefined =>
  servers.names.length < 3 ? "it needs --servers 3" : undefined;
