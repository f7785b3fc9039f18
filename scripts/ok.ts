/**
 * `pnpm ok`: everything a change must pass, the quick checks first. `--without-tests` leaves the tests out.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import process from "node:process";

const steps: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  ["format", "oxfmt", "--check"],
  ["types", "tsc"],
  ["types of the browser's code", "tsc", "-p", "packages/live/src/client"],
  ["lint", "oxlint", "--type-aware", "--deny-warnings"],
  ["tidy", process.execPath, "scripts/tidy.ts"],
  ["unused", "knip"],
  ["documents", process.execPath, "scripts/doctest.ts"],
  ["tests", process.execPath, "scripts/test.ts"],
];

const withoutTests = process.argv.includes("--without-tests");
const failed: string[] = [];
for (const [name, command, ...args] of steps) {
  if (name === (withoutTests ? "tests" : "documents")) continue; // The tests run the documents' examples too.
  const { status } = spawnSync(command, args, { stdio: ["ignore", "inherit", "inherit"] });
  process.stderr.write(`ok: ${status === 0 ? "pass" : "FAIL"}  ${name}\n`);
  if (status !== 0) failed.push(name);
}
process.exitCode = failed.length === 0 ? 0 : 1;
