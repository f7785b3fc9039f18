import { ExitError, kill, killed, normal, shutdown } from "@coppice/kernel";
import { describe, expect, test } from "vitest";
import { endOf, eventLogger, kernelOf, leftovers, puppet, settled } from "./nodes.ts";

const fault = { type: "exit", value: "fault" } as const;

describe("why a process ended", () => {
  test("A-001: a function that returns ends normal", async () => {
    const kernel = kernelOf("a");
    expect(
      await endOf(
        kernel,
        kernel.spawn(() => {}),
      ),
    ).toEqual(normal);
    expect(
      await endOf(
        kernel,
        kernel.spawn(async () => {}),
      ),
    ).toEqual(normal);
  });

  test("A-003: a process that throws ends with the error and its stack", async () => {
    const kernel = kernelOf("a");
    const reason = await endOf(
      kernel,
      kernel.spawn(() => {
        throw new TypeError("boom");
      }),
    );
    expect(reason).toMatchObject({
      type: "error",
      error: {
        name: "TypeError",
        message: "boom",
        stack: expect.stringContaining("exits.test.ts"),
      },
    });
  });

  test("A-005: kill of oneself is a reason like any other: it stays kill", async () => {
    const kernel = kernelOf("a");
    const end = endOf(
      kernel,
      kernel.spawn(() => {
        throw new ExitError(kill);
      }),
    );
    expect(await end).toEqual(kill);
  });

  test("A-007: a kill from another cannot be trapped, and is no message", async () => {
    const kernel = kernelOf("a");
    const target = puppet(kernel, { trapExit: true });
    const end = endOf(kernel, target.pid);
    puppet(kernel).self.exitOther(target.pid, kill);
    expect(await end).toEqual(killed);
    expect(target.inbox).toEqual([]);
  });

  test("A-009: a linked process that does not trap ends with kill when its peer killed itself", async () => {
    const kernel = kernelOf("a");
    const [peer, suicidal] = [puppet(kernel), puppet(kernel)];
    peer.self.link(suicidal.pid);
    const end = endOf(kernel, peer.pid);
    suicidal.self.exit(kill);
    expect(await end).toEqual(kill);
  });

  test("what a program throws away becomes a reason, whatever it is", async () => {
    const kernel = kernelOf("a");
    const hostile = {
      get message(): string {
        throw new Error("no");
      },
      toJSON(): string {
        throw new Error("never");
      },
    };
    for (const thrown of [null, undefined, 7, hostile, Object.create(null), () => 1]) {
      const reason = await endOf(
        kernel,
        kernel.spawn(() => {
          throw thrown;
        }),
      );
      expect(reason).toMatchObject({ type: "error" });
      expect(structuredClone(reason)).toEqual(reason);
    }
  });

  test("a reason that holds what cannot cross is told as text", async () => {
    const kernel = kernelOf("a");
    const value = { socket: () => 1 };
    const reason = await endOf(
      kernel,
      kernel.spawn(() => {
        throw new ExitError({ type: "exit", value });
      }),
    );
    expect(reason).toEqual({ type: "exit", value: "{}" });
  });
});

describe("exit signals", () => {
  test("A-021: normal from another process reaches a trapping one as a message", async () => {
    const kernel = kernelOf("a");
    const [target, sender] = [puppet(kernel, { trapExit: true }), puppet(kernel)];
    sender.self.exitOther(target.pid, normal);
    expect(await target.next()).toEqual({ type: "exit", from: sender.pid, reason: normal });
  });

  test("A-023: shutdown ends a process that does not trap", async () => {
    const kernel = kernelOf("a");
    const [target, sender] = [puppet(kernel), puppet(kernel)];
    const end = endOf(kernel, target.pid);
    sender.self.exitOther(target.pid, shutdown);
    expect(await end).toEqual(shutdown);
  });

  test("A2.1: a signal to a process that has ended is no error", () => {
    const kernel = kernelOf("a");
    const dead = kernel.spawn(() => {});
    kernel.exit(dead, kill);
    expect(() => kernel.exit(dead, fault)).not.toThrow();
  });

  test("A2.3: normal to oneself ends a process that does not trap", async () => {
    const kernel = kernelOf("a");
    const target = puppet(kernel);
    const end = endOf(kernel, target.pid);
    target.self.exitOther(target.pid, normal);
    expect(await end).toEqual(normal);
  });

  test("A2.5: trapping can be switched, and what was a message stays one", async () => {
    const kernel = kernelOf("a");
    const [target, sender] = [puppet(kernel), puppet(kernel)];
    target.self.trapExit(true);
    sender.self.exitOther(target.pid, fault);
    target.self.trapExit(false);
    expect(await target.next()).toMatchObject({ type: "exit", reason: fault });
    const end = endOf(kernel, target.pid);
    sender.self.exitOther(target.pid, fault);
    expect(await end).toEqual(fault);
  });
});

describe("links", () => {
  test("A-011: a peer that ends normally is not noticed by one that does not trap", async () => {
    const kernel = kernelOf("a");
    const [peer, other] = [puppet(kernel), puppet(kernel)];
    peer.self.link(other.pid);
    other.self.exit(normal);
    await settled(kernel);
    expect([kernel.isAlive(peer.pid), peer.inbox]).toEqual([true, []]);
  });

  test("A-013: a peer that ends otherwise takes one that does not trap with it, with its reason", async () => {
    const kernel = kernelOf("a");
    const [peer, other] = [puppet(kernel), puppet(kernel)];
    peer.self.link(other.pid);
    const end = endOf(kernel, peer.pid);
    other.self.exit(fault);
    expect(await end).toEqual(fault);
  });

  test("A-015: a link to a dead process gives a trapping one the message noproc", async () => {
    const kernel = kernelOf("a");
    const dead = kernel.spawn(() => {});
    kernel.exit(dead, kill);
    const trapping = puppet(kernel, { trapExit: true });
    trapping.self.link(dead);
    expect(await trapping.next()).toEqual({ type: "exit", from: dead, reason: { type: "noproc" } });
    expect(() => puppet(kernel).self.link(dead)).toThrow(/has ended: there is nothing to link to/);
  });

  test("A-017: two links are one: one message when the peer ends", async () => {
    const kernel = kernelOf("a");
    const [peer, other] = [puppet(kernel, { trapExit: true }), puppet(kernel)];
    peer.self.link(other.pid);
    peer.self.link(other.pid);
    other.self.exit(fault);
    await settled(kernel);
    expect(peer.inbox).toEqual([{ type: "exit", from: other.pid, reason: fault }]);
  });

  test("A-019: a link to oneself does nothing", async () => {
    const kernel = kernelOf("a");
    const target = puppet(kernel);
    target.self.link(target.pid);
    expect(kernel.info(target.pid)!.links).toEqual([]);
  });

  test("A3.3: after unlink no exit signal of that link arrives", async () => {
    const kernel = kernelOf("a");
    const [peer, other] = [puppet(kernel), puppet(kernel)];
    peer.self.link(other.pid);
    peer.self.unlink(other.pid);
    other.self.exit(fault);
    await settled(kernel);
    expect(kernel.isAlive(peer.pid)).toBe(true);
  });

  test("A-053: a trapping parent learns that its child was killed", async () => {
    const kernel = kernelOf("a");
    const parent = puppet(kernel, { trapExit: true });
    const child = parent.self.spawnLink(() => new Promise(() => {}));
    kernel.exit(child, kill, parent.pid);
    expect(await parent.next()).toEqual({ type: "exit", from: child, reason: killed });
  });

  test("100,000 processes linked in a chain end together, and nothing is left", async () => {
    const kernel = kernelOf("a");
    let last = puppet(kernel).pid;
    const first = last;
    for (let count = 0; count < 100_000; count += 1)
      last = kernel.spawn({ handle: () => {} }, { link: last });
    const end = endOf(kernel, last);
    kernel.exit(first, fault);
    expect(await end).toEqual(fault);
    expect(Object.values(leftovers(kernel))).toEqual([0, 0, 0, 0, 0]);
  });

  test("normal and shutdown ends log nothing", async () => {
    const logger = eventLogger();
    const kernel = kernelOf("a", logger);
    for (const reason of [normal, shutdown, { type: "shutdown", detail: 1 }] as const)
      await endOf(
        kernel,
        kernel.spawn(() => {
          throw new ExitError(reason);
        }),
      );
    expect(logger.events).toEqual([]);
  });
});
