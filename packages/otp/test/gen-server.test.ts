import { CallError, Kernel, seededRandom, silentLogger, systemClock } from "@coppice/kernel";
import { GenServer, startGenServer } from "@coppice/otp";
import { expect, test } from "vitest";

class Stack extends GenServer {
  #items: string[] = [];
  seen: unknown[] = [];
  push(item: string): void {
    this.#items.push(item);
  }
  async pop(): Promise<string> {
    const item = this.#items.pop();
    if (item === undefined) throw new Error("the stack is empty");
    return item;
  }
  refuse(): void {
    throw new CallError({ code: "denied", executed: "no", message: "not today" });
  }
  _hidden(): string {
    return "secret";
  }
  override handleInfo(message: unknown): void {
    this.seen.push(message);
  }
}

function start() {
  const clock = systemClock;
  const options = {
    node: "a",
    incarnation: "1",
    clock,
    random: seededRandom(1),
    logger: silentLogger,
  };
  const kernel = new Kernel(options);
  const server = new Stack();
  return startGenServer(kernel, server, { name: "stack" }).then(() => ({ kernel, server }));
}

test("B2.2: public methods are calls and casts, and fields are the state", async () => {
  const { kernel } = await start();
  kernel.cast("stack", "push", ["x"]);
  await kernel.call("stack", "push", ["y"]);
  expect(await kernel.call("stack", "pop", [])).toBe("y");
  expect(await kernel.call("stack", "pop", [])).toBe("x");
});

test("a throw ends the server; a CallError is an answer", async () => {
  const { kernel } = await start();
  await expect(kernel.call("stack", "refuse", [])).rejects.toMatchObject({ code: "denied" });
  await expect(kernel.call("stack", "pop", [])).rejects.toMatchObject({ code: "exited" });
  expect(kernel.whereis("stack")).toBeUndefined();
});

test("only methods the class declares can be called", async () => {
  const { kernel } = await start();
  for (const name of ["constructor", "toString", "handleInfo", "_hidden", "__proto__", "nothing"])
    await expect(kernel.call("stack", name, [])).rejects.toThrow(
      /no function .*; it has push, pop/,
    );
});

test("B3.2: a plain message reaches handleInfo", async () => {
  const { kernel, server } = await start();
  kernel.send("stack", { hello: 1 });
  await kernel.call("stack", "push", ["x"]);
  expect(server.seen).toEqual([{ hello: 1 }]);
});
