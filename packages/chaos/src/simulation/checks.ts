/**
 * What the history of a simulated run is checked for.
 *
 * @module
 */
import type { Checker } from "../history.ts";

export const allCheckers: readonly Checker[] = [];
