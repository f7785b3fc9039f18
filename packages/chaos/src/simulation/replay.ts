/**
 * Runs one seed again and tells what happened.
 *
 * @module
 */
import type { TraceLine } from "@coppice/testkit";
import { allCheckers } from "./checks.ts";
import { describeFault } from "./fault-plan.ts";
import { generatePlan } from "./generate-plan.ts";
import { nodeNames, runSimulation } from "./run-simulation.ts";

/** Whether every promise was kept. */
export async function replay(
  seed: number,
  { trace, say }: { readonly trace: boolean; readonly say: (line: string) => void },
): Promise<boolean> {
  const plan = generatePlan(seed, nodeNames);
  say(`seed ${seed}, plan:`);
  for (const fault of plan) say(`  ${describeFault(fault)}`);
  const result = await runSimulation({
    seed,
    plan,
    checkers: allCheckers,
    ...(trace && {
      onTrace: (line: TraceLine) => say(describeLine(line)),
      onLog: (node: string, _: unknown, message: string) =>
        say(`            ${node} says: ${message}`),
    }),
  });
  const { history, simulatedMs, traceHash, violations } = result;
  say(`${history.length} events in ${Math.round(simulatedMs)} simulated ms, trace ${traceHash}`);
  for (const { promise, message, events } of violations) {
    say(`${promise}: ${message}`);
    for (const event of events) say(`    ${JSON.stringify(event)}`);
  }
  return violations.length === 0;
}

function describeLine({ atMs, what, about, from, to, bytes }: TraceLine): string {
  const who = [from, to].filter((each) => each !== undefined).join(" > ");
  const size = bytes === undefined ? "" : ` (${bytes} bytes)`;
  return `${atMs.toFixed(2).padStart(10)}  ${what.padEnd(8)} ${who.padEnd(5)} ${about}${size}`;
}
