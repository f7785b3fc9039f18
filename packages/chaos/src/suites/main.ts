/**
 * `npm run chaos:suites` and `npm run chaos:docker`: suites that break real machines' parts, each behind a probe of this machine.
 *
 * @module
 */
import { ensureNatsServer } from "@coppice/cli";
import { clockSuite } from "./clock-suite.ts";
import { controlGroupSuite } from "./control-group-suite.ts";
import { networkSuite } from "./network-suite.ts";
import { powerCutSuite } from "./power-cut-suite.ts";
import { dockerSuite } from "./docker-suite.ts";
import { isGood, runSuite, type Suite, type SuiteResult } from "./suite.ts";

/** Docker alone takes minutes: only when it is asked for. */
const usual: readonly Suite[] = [networkSuite, controlGroupSuite, powerCutSuite, clockSuite];
const all = [...usual, dockerSuite];
const usage = `usage: npm run chaos:suites -- [${all.map(({ name }) => name).join("] [")}]`;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function chosen(names: readonly string[]): readonly Suite[] | undefined {
  if (names.length === 0) return usual;
  const found = all.filter(({ name }) => names.includes(name));
  return found.length === names.length ? found : undefined;
}

async function main(): Promise<number> {
  const toRun = chosen(process.argv.slice(2));
  if (toRun === undefined) {
    process.stderr.write(`${usage}\n`);
    return 2;
  }
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.on(signal, () => interrupted.abort(new Error(`interrupted by ${signal}`)));
  const { signal } = interrupted;
  const natsServer = await ensureNatsServer(say);
  const results: SuiteResult[] = [];
  for (const suite of toRun) {
    if (signal.aborted) break;
    results.push(await runSuite(suite, { natsServer, say, signal }));
  }
  say("");
  for (const result of results) say(summaryOf(result));
  return results.every(isGood) && !signal.aborted ? 0 : 1;
}

function summaryOf(result: SuiteResult): string {
  if (result.type === "skipped") return `SKIPPED  ${result.suite}: ${result.why}`;
  if (result.type === "failed") return `FAILED   ${result.suite}: ${String(result.error)}`;
  const { strikes, seconds, suite } = result;
  const verdict = isGood(result) ? "PASSED  " : "BROKEN  ";
  return `${verdict} ${suite}: ${strikes.length} faults in ${seconds.toFixed(0)} s`;
}

process.exit(await main());
