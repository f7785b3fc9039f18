import {
  component,
  type ComponentLimits,
  type ComponentSpec,
  useComponentThreads,
} from "@coppice/component";
import { type ChildSpec, startSupervisor } from "@coppice/otp";
import { beforeAll, describe, expect, test } from "vitest";
import { cacheDir } from "./chat-room.ts";
import { watFixture } from "./components/fixtures.ts";
import { buildGuest } from "./guests.ts";
import { newKernel } from "./kernel.ts";

const limits = { memoryBytes: 16 << 20, cpuMsPerCall: 100, importMs: 20_000 };
const ticks = { now: () => 5n, wait: () => {} };
const quiet = { number: () => 1, nothing: () => {}, answer: () => 1, "test:hazards/ticks": ticks };

let hazards: Uint8Array;
let scheduled: { readonly path: string; readonly cacheDir: string };

beforeAll(async () => {
  hazards = await watFixture("hazards");
  scheduled = await buildGuest();
});

function hazard(imports: ComponentSpec["imports"] = {}, changes: ComponentLimits = {}): ChildSpec {
  return component({
    id: "bad",
    name: "bad",
    bytes: hazards,
    cacheDir,
    imports: { ...quiet, ...imports },
    limits: { ...limits, cpuMsPerCall: 5_000, ...changes },
  });
}

function guest(id: string): ChildSpec {
  const imports = { pause: () => {}, answer: () => 42 };
  return component({ id, name: id, ...scheduled, imports, limits });
}

const throws = (): never => {
  throw new Error("no network");
};

/** What a component does, how it is made, what it is asked, and how that ends; undefined for an answer. */
const cases: readonly [string, () => ChildSpec, string, unknown[], RegExp | undefined][] = [
  ["loops", () => guest("bad"), "spin", [], /stopped after 100 ms/],
  ["loops and catches", () => guest("bad"), "spin-and-catch", [], /stopped after 100 ms/],
  ["fills its memory for ever", () => guest("bad"), "fill-for-ever", [], /stopped after 100 ms/],
  ["calls its host for ever", () => guest("bad"), "pause-for-ever", [], /stopped after 100 ms/],
  [
    "floods its host",
    () => hazard({}, { cpuMsPerCall: 100 }),
    "ask-often",
    [0xffff_ffff],
    /stopped after 100 ms/,
  ],
  ["recurses for ever", () => hazard(), "recurse", [0xffff_ffff], /stack/i],
  ["grows its memory beyond its limit", () => hazard(), "grow", [60_000], undefined],
  ["answers with 1 GB it does not have", () => hazard(), "bytes-at", [0, 2 ** 30], /out of bounds/],
  [
    "answers with too much",
    () => hazard(),
    "repeated",
    [1_000, 20_000],
    /more than 16777216 bytes/,
  ],
  ["traps in its allocator", () => hazard(), "take", ["13 characters"], /unreachable/],
  ["traps after it returned", () => hazard(), "give-and-trap", [], /unreachable/],
  ["calls an import that throws", () => hazard({ number: throws }), "ask", [], /no network/],
  [
    "calls an import that rejects",
    () => hazard({ number: () => Promise.reject(new Error("no network")) }),
    "ask",
    [],
    /no network/,
  ],
  [
    "calls an import that never settles",
    () => hazard({ number: () => new Promise(() => {}) }, { importMs: 100 }),
    "ask",
    [],
    /did not settle within 100 ms/,
  ],
  [
    "calls an import that returns the wrong type",
    () => hazard({ number: () => "1" }),
    "ask",
    [],
    /expected \S+, got "1"/,
  ],
];

describe.for([0, 1])("beside a component on %i threads that", (threads) => {
  test.for(cases)("%s, others answer, and it comes back", async ([, child, path, args, end]) => {
    const kernel = newKernel();
    const endThreads = useComponentThreads(kernel, threads);
    const children = [guest("neighbour"), child()];
    const tree = { strategy: "one_for_one", maxRestarts: 10, children } as const;
    const started = await startSupervisor(kernel, tree);
    expect(started).toMatchObject({ type: "started" });
    const first = kernel.whereis("bad");
    const call = { isOver: false };
    const failed = kernel
      .call("bad", path, args, { timeoutMs: 60_000 })
      .then(() => undefined, String)
      .finally(() => {
        call.isOver = true;
      });
    let answers = 0;
    do {
      expect(await kernel.call("neighbour", "add", [answers, 1])).toBe(answers + 1);
      answers += 1;
    } while (!call.isOver);
    if (end === undefined) expect(await failed).toBeUndefined();
    else {
      expect(await failed).toMatch(end);
      await expect.poll(() => kernel.whereis("bad") ?? first).not.toBe(first);
    }
    expect(await kernel.call("neighbour", "bump", [])).toBe(1);
    await endThreads();
  });
});
