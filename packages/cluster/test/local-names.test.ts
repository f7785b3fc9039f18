import type { Incoming, Kernel } from "@coppice/kernel";
import { expect, test } from "vitest";
import { memoryCluster } from "./cluster.ts";

/** Answers calls with their arguments and keeps the rest. */
function recorder(kernel: Kernel, name: string): Incoming[] {
  const seen: Incoming[] = [];
  kernel.spawn(
    {
      handle: (message) => {
        if (message.type === "call") message.reply({ ok: true, value: [name, ...message.args] });
        else seen.push(message);
      },
    },
    { name },
  );
  return seen;
}

async function pair() {
  const cluster = memoryCluster();
  const a = await cluster.start("a");
  const b = await cluster.start("b");
  await expect.poll(() => a.nodes().length).toBe(1);
  return { a, b };
}

test("B-063: a local name of another node is called, cast to, sent to and monitored there", async () => {
  const { a, b } = await pair();
  const seen = recorder(b.kernel, "local");
  const to = { name: "local", node: "b" };
  expect(await a.kernel.call(to, "echo", [1, "two"])).toEqual(["local", 1, "two"]);
  const ended = new Promise((resolve) => a.kernel.monitor(to, resolve));
  expect(a.kernel.cast(to, "note", [3])).toBe("sent");
  expect(a.kernel.send(to, { hello: 4 })).toBe("sent");
  await expect
    .poll(() => seen)
    .toEqual([
      { type: "cast", method: "note", args: [3] },
      { type: "info", message: { hello: 4 } },
    ]);
  b.kernel.exit(b.kernel.whereis("local")!, { type: "shutdown" });
  expect(await ended).toEqual({ type: "shutdown" });
  const gone = a.kernel.call(to, "echo", []);
  await expect(gone).rejects.toMatchObject({ code: "noproc", executed: "no" });
});

test("B-005: a local name of a node that is not there certainly did not run", async () => {
  const { a } = await pair();
  const call = a.kernel.call({ name: "local", node: "bogus" }, "echo", []);
  await expect(call).rejects.toMatchObject({ code: "noconnection", executed: "no" });
});
