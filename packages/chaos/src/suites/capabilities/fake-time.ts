/**
 * Clocks of processes that are wrong.
 *
 * @module
 */
import { globSync } from "node:fs";
import type { Capability } from "../capability.ts";
import { run } from "../command.ts";

const libraryPattern = "/usr/lib/*/faketime/libfaketimeMT.so.1";
const fakedYear = "2001";

export const fakeTime: Capability = {
  name: "wrong clocks",
  packages: [[libraryPattern, "libfaketime"]],
  attempt: async () => {
    const preload = `LD_PRELOAD=${globSync(libraryPattern)[0]}`;
    const year = await run("env", [
      preload,
      `FAKETIME=@${fakedYear}-06-01 00:00:00`,
      "date",
      "+%Y",
    ]);
    if (year.trim() !== fakedYear) throw new Error(`it has no effect: the year is ${year.trim()}`);
  },
};
