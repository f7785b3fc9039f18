import { type ExitReason, normal, shutdown } from "@coppice/kernel";
import type { Restart, Strategy } from "@coppice/otp";
import fc from "fast-check";
import { expect, test } from "vitest";
import { expectNothingLeft, fault, tracedKernel } from "./kernel.ts";

/** What OTP's rules say a supervisor knows of a child. */
interface ModelChild {
  readonly id: string;
  readonly restart: Restart;
  runs: boolean;
  restarts: number;
}

type Step =
  | { readonly type: "start"; readonly id: string; readonly restart: Restart }
  | { readonly type: "terminate" | "restart" | "delete"; readonly id: string }
  | { readonly type: "end"; readonly id: string; readonly reason: ExitReason };

/** The statements C4, C5 and C7 in their shortest form. Answers as the supervisor should. */
class Model {
  readonly strategy: Strategy;
  children: ModelChild[] = [];

  constructor(strategy: Strategy) {
    this.strategy = strategy;
  }

  take(step: Step): string {
    const child = this.children.find(({ id }) => id === step.id);
    if (step.type === "start") {
      if (child !== undefined) return child.runs ? "already_started" : "already_present";
      this.children.push({ id: step.id, restart: step.restart, runs: true, restarts: 0 });
      return "ok";
    }
    if (child === undefined) return "not_found";
    switch (step.type) {
      case "terminate":
        child.runs = false;
        if (child.restart === "temporary") this.#forget(child);
        return "ok";
      case "restart":
        if (child.runs) return "running";
        child.runs = true;
        return "ok";
      case "delete":
        if (child.runs) return "running";
        this.#forget(child);
        return "ok";
      case "end":
        if (child.runs) this.#end(child, step.reason);
        return "ok";
    }
  }

  #end(child: ModelChild, reason: ExitReason): void {
    if (child.restart === "temporary") return this.#forget(child);
    if (child.restart === "transient" && reason !== fault) {
      child.runs = false;
      return;
    }
    const at = this.children.indexOf(child);
    const group = {
      one_for_one: [child],
      one_for_all: [...this.children],
      rest_for_one: this.children.slice(at),
    }[this.strategy];
    for (const each of group) {
      if (each.restart === "temporary") this.#forget(each);
      else Object.assign(each, { runs: true, restarts: each.restarts + 1 });
    }
  }

  #forget(child: ModelChild): void {
    this.children = this.children.filter((each) => each !== child);
  }
}

const ids = fc.constantFrom("a", "b", "c", "d", "e");
const steps = fc.array(
  fc.oneof(
    fc.record({
      type: fc.constant("start" as const),
      id: ids,
      restart: fc.constantFrom<Restart>("permanent", "transient", "temporary"),
    }),
    fc.record({ type: fc.constantFrom("terminate", "restart", "delete"), id: ids }),
    fc.record({
      type: fc.constant("end" as const),
      id: ids,
      reason: fc.constantFrom<ExitReason>(fault, normal, shutdown),
    }),
  ),
  { maxLength: 40 },
);

async function take(
  { child, end }: ReturnType<typeof tracedKernel>,
  { ref }: Awaited<ReturnType<ReturnType<typeof tracedKernel>["supervise"]>>,
  step: Step,
): Promise<string> {
  if (step.type === "end") {
    await end(step.id, step.reason);
    return "ok";
  }
  const requests = {
    start: () =>
      ref.startChild(child(step.id, step.type === "start" ? { restart: step.restart } : {})),
    terminate: () => ref.terminateChild(step.id),
    restart: () => ref.restartChild(step.id),
    delete: () => ref.deleteChild(step.id),
  };
  const result = await requests[step.type]();
  return result.ok ? "ok" : result.error;
}

test.each(["one_for_one", "one_for_all", "rest_for_one"] as const)(
  "C4, C5, C7: %s: whatever is asked and whatever ends, the children are those the statements say",
  (strategy) =>
    fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        const base = tracedKernel();
        const { kernel, clock } = base;
        const running = await base.supervise({ strategy, maxRestarts: 1_000, children: [] });
        const model = new Model(strategy);
        for (const step of sequence) {
          const answer = await take(base, running, step);
          const expected = model.take(step);
          if (step.type !== "end") expect(answer).toBe(expected);
          const rows = await running.ref.whichChildren();
          expect(rows.map(({ id, state, restarts }) => ({ id, state, restarts }))).toEqual(
            model.children.map(({ id, runs, restarts }) => ({
              id,
              state: runs ? "running" : "stopped",
              restarts,
            })),
          );
          for (const row of rows) expect(kernel.whereis(row.id)).toEqual(row.pid);
          expect(kernel.processCount).toBe(1 + model.children.filter(({ runs }) => runs).length);
        }
        await running.stop();
        expectNothingLeft(kernel, clock);
      }),
    ),
);
