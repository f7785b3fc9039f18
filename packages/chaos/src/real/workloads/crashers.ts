/**
 * Supervised processes that crash now and then, one of their supervisors more often than it allows.
 *
 * @module
 */
import type { Pid } from "@coppice/kernel";
import { GenServer, supervisor } from "@coppice/otp";
import { recordLife } from "./counter.ts";
import type { Workload, WorkloadContext } from "./workload.ts";

const crashEveryMs = 200;
/** One crash in so many takes the impatient supervisor's child several times in a row. */
const burstEvery = 20;
const burst = 4;

const steady = "steady";
const impatient = "impatient";
const steadyChildren = ["a", "b", "c"];
const impatientChild = "z";

interface Of {
  readonly supervisor: string;
  readonly child: string;
}

class Crasher extends GenServer {
  readonly #context: WorkloadContext;
  readonly #of: Of;
  readonly #running: Map<string, Pid>;

  constructor(context: WorkloadContext, of: Of, running: Map<string, Pid>) {
    super();
    this.#context = context;
    this.#of = of;
    this.#running = running;
  }

  override init(): void {
    recordLife(this.#context, this.self.pid, this.#of);
    this.#running.set(this.#of.child, this.self.pid);
  }

  crash(): never {
    throw new Error("the workload crashes this process");
  }
}

export function crashersWorkload(context: WorkloadContext): Workload {
  const { node, random, life } = context;
  /** By the child's id. */
  const running = new Map<string, Pid>();
  const child = (of: string, id: string) => ({
    id,
    start: [Crasher, context, { supervisor: `${life}/${of}`, child: id }, running] as const,
  });
  let timer: NodeJS.Timeout | undefined;
  let turn = 0;
  const crash = (id: string): void => {
    const pid = running.get(id);
    if (pid !== undefined) node.kernel.cast(pid, "crash", []);
  };
  return {
    children: [
      supervisor({
        id: steady,
        strategy: "one_for_all",
        maxRestarts: 1_000_000,
        maxSeconds: 1,
        children: steadyChildren.map((id) => child(steady, id)),
      }),
      supervisor({
        id: impatient,
        strategy: "one_for_one",
        maxRestarts: 2,
        maxSeconds: 5,
        children: [child(impatient, impatientChild)],
      }),
    ],
    start: () => {
      timer = setInterval(() => {
        turn += 1;
        crash(steadyChildren[random.u32() % steadyChildren.length]!);
        if (turn % burstEvery < burst) crash(impatientChild);
      }, crashEveryMs);
    },
    stop: () => clearInterval(timer),
  };
}
