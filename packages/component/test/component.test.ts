import {
  component,
  instantiate,
  InstanceBusyError,
  InstanceDeadError,
  MissingImportError,
  Scheduler,
  TrapError,
  WitError,
} from "@coppice/component";
import { systemClock } from "@coppice/kernel";
import { startSupervisor } from "@coppice/otp";
import { beforeAll, describe, expect, test } from "vitest";
import { buildChatRoom, buildTimeoutMs, cacheDir, compileChatRoom } from "./chat-room.ts";
import { newKernel } from "./kernel.ts";

const joinLine = "You joined the wasm component chat!";
const scheduler = new Scheduler({ clock: systemClock });
let room: Awaited<ReturnType<typeof compileChatRoom>>;

beforeAll(async () => {
  room = await compileChatRoom();
}, buildTimeoutMs);

/** An instance, with what it publishes and writes. */
async function open(publish?: (message: string) => unknown) {
  const published: string[] = [];
  const output: string[] = [];
  const instance = await instantiate(room, {
    scheduler,
    imports: {
      "publish-message": (message: string) => {
        published.push(message);
        return publish === undefined ? `${message} published` : publish(message);
      },
    },
    onOutput: (stream, line) => output.push(`${stream}: ${line}`),
  });
  return { instance, published, output };
}

describe("an instance of the chat room", () => {
  test("answers its three functions", async () => {
    const { instance, published } = await open();
    expect(await instance.call("init", [])).toEqual([joinLine]);
    expect(await instance.call("add-message", ["hi"])).toBe("hi");
    expect(published).toEqual(["hi", "And here is a message from a wasm component!!"]);
    expect(await instance.call("messageAdded", ["hi", [joinLine]])).toEqual([joinLine, "hi"]);
  });

  test("the secret word traps, with the guest's own words, and nothing enters afterwards", async () => {
    const { instance, published, output } = await open();
    const trap = await instance.call("add-message", ["WAT"]).catch((thrown: unknown) => thrown);
    expect(trap).toBeInstanceOf(TrapError);
    expect((trap as TrapError).details.function).toBe("add-message");
    expect((trap as TrapError).details.stderr.join("\n")).toContain("expected a string");
    expect(output.length).toBeGreaterThan(0);
    expect(published).toEqual([]);
    await expect(instance.call("init", [])).rejects.toThrow(InstanceDeadError);
  });

  test("an import may be async: another instance runs meanwhile, a second call here is refused", async () => {
    const gate = Promise.withResolvers<string>();
    const waiting = await open(() => gate.promise);
    const other = await open();
    const call = waiting.instance.call("add-message", ["slow"]);
    expect(await other.instance.call("add-message", ["quick"])).toBe("quick");
    await expect(waiting.instance.call("init", [])).rejects.toThrow(InstanceBusyError);
    gate.resolve("ok");
    expect(await call).toBe("slow");
  });

  test("an import that throws a WitError answers err to the guest", async () => {
    const { instance } = await open(() => {
      throw new WitError("the room is full");
    });
    await expect(instance.call("add-message", ["hi"])).rejects.toThrow(/the room is full/);
  });

  test.for([
    ["throws", (): unknown => Promise.reject(new Error("no network")), "no network"],
    [
      "returns another type",
      (): unknown => 7,
      "what publish-message returned: expected string, got 7",
    ],
  ] as const)(
    "an import that %s ends the instance and names the cause",
    async ([, publish, cause]) => {
      const { instance } = await open(publish);
      const call = instance.call("add-message", ["hi"]);
      await expect(call).rejects.toThrow(TrapError);
      await expect(call).rejects.toThrow(cause);
      await expect(instance.call("init", [])).rejects.toThrow(InstanceDeadError);
    },
  );

  test.for([
    ["add-message", [42], "add-message argument 1, message: expected string, got 42"],
    [
      "add-message",
      [],
      "add-message takes 1 argument, got 0: func(message: string) -> result<string, string>",
    ],
    [
      "message-added",
      ["x", ["a", 1]],
      "message-added argument 2, state[1]: expected string, got 1",
    ],
    ["shout", [], "no function shout; it exports init, add-message, message-added"],
  ] as const)("%s%j is refused before it runs", async ([name, args, message]) => {
    const { instance } = await open();
    await expect(instance.call(name, args)).rejects.toThrow(message);
    expect(await instance.call("init", [])).toEqual([joinLine]);
  });

  test("a missing import is named with its signature", async () => {
    const made = instantiate(room, { scheduler, imports: {}, onOutput: () => {} });
    await expect(made).rejects.toThrow(MissingImportError);
    await expect(made).rejects.toThrow(
      /imports publish-message: func\(message: string\) -> result<string, string>/,
    );
  });
});

describe("a component under a supervisor", () => {
  async function supervised() {
    const kernel = newKernel();
    const child = component({
      id: "chat-room",
      name: "chat-room",
      path: await buildChatRoom(),
      cacheDir,
      imports: { "publish-message": (message: string) => message },
    });
    const result = await startSupervisor(kernel, { strategy: "one_for_one", children: [child] });
    if (result.type !== "started") throw new Error("not started");
    return { kernel, supervisor: result.pid };
  }

  test("comes back after a trap, and the caller learns that it may have run", async () => {
    const { kernel, supervisor } = await supervised();
    const before = kernel.whereis("chat-room");
    const call = kernel.call("chat-room", "add-message", ["WAT"]);
    await expect(call).rejects.toMatchObject({ code: "exited", executed: "maybe" });
    await kernel.call(supervisor, "whichChildren", []); // Answered once the restart is done.
    expect(kernel.whereis("chat-room")).not.toEqual(before);
    expect(await kernel.call("chat-room", "init", [])).toEqual([joinLine]);
  });

  test("wrong arguments are an answer and no crash", async () => {
    const { kernel } = await supervised();
    const before = kernel.whereis("chat-room");
    const wrong = kernel.call("chat-room", "add-message", [42]);
    await expect(wrong).rejects.toMatchObject({ code: "bad_argument", executed: "no" });
    const unknown = kernel.call("chat-room", "shout", []);
    await expect(unknown).rejects.toMatchObject({ code: "unknown_function" });
    expect(kernel.whereis("chat-room")).toEqual(before);
  });
});
