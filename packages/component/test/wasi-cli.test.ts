import { GuestExitError, TrapError } from "@coppice/component";
import { seededRandom, systemClock } from "@coppice/kernel";
import { simulatedClock } from "@coppice/testkit";
import { beforeAll, describe, expect, test } from "vitest";
import { buildC, compileC, compileWat, noClang } from "./wasi-guests.ts";
import { eventually, openGuest, startGuestProcess } from "./wasi-run.ts";

if (noClang !== undefined) process.stderr.write(`SKIPPED: WASI guests in C: ${noClang}\n`);

test("exit-with-code ends the instance with that code", async () => {
  const text = `
    (component
      (import "wasi:cli/exit@0.2.12" (instance $exit
        (export "exit-with-code" (func (param "status-code" u8)))))
      (core func $leave (canon lower (func $exit "exit-with-code")))
      (core module $module
        (import "exit" "leave" (func $leave (param i32)))
        (func (export "run") i32.const 42 call $leave))
      (core instance $instance
        (instantiate $module (with "exit" (instance (export "leave" (func $leave))))))
      (func (export "run") (canon lift (core func $instance "run"))))`;
  await using leaving = await openGuest(await compileWat(text));
  await expect(leaving.instance.call("run", [])).rejects.toMatchObject({
    code: "guest_exit",
    status: 42,
  });
});

describe.skipIf(noClang !== undefined)("a guest in C", () => {
  let guest: Awaited<ReturnType<typeof compileC>>;
  beforeAll(async () => {
    guest = await compileC("wasi-c");
  });

  test("is told nothing by default", async () => {
    await using closed = await openGuest(guest);
    expect(await closed.run("env")).toBe("");
    expect(await closed.run("args")).toBe("");
    expect(await closed.run("input")).toBe("");
    expect(await closed.run("ls /")).toMatch(/^error: /);
    expect(await closed.run("cat /etc/passwd")).toMatch(/^error: /);
  });

  test("has its own environment, arguments and input; another instance has others", async () => {
    await using alice = await openGuest(guest, {
      wasi: { env: { WHO: "alice", HOME: "/" }, args: ["room", "--quiet"], stdin: "a letter" },
    });
    await using bob = await openGuest(guest, { wasi: { env: { WHO: "bob" } } });
    expect(await alice.run("env")).toBe("WHO=alice;HOME=/;");
    expect(await bob.run("env")).toBe("WHO=bob;");
    expect(await alice.run("args")).toBe("room;--quiet;");
    expect(await bob.run("args")).toBe("");
    expect(await alice.run("input")).toBe("a letter");
    expect(await bob.run("input")).toBe("");
  });

  test("writes lines: split at line feeds, joined across writes, cut when too long", async () => {
    await using writer = await openGuest(guest);
    await writer.run("print hello world");
    await writer.run("part grüße-");
    await writer.run("part 🌳");
    expect(writer.lines).toEqual(["stdout: hello world"]);
    await writer.run("warn !");
    await writer.run(`print ${"x".repeat(3_000)}`);
    expect(writer.lines.slice(1)).toEqual(["stderr: grüße-🌳! ", `stdout: ${"x".repeat(2_000)}`]);
  });

  test("a line that was not ended is written at the end of the guest", async () => {
    const writer = await openGuest(guest);
    await writer.run("part last words");
    await writer.end();
    expect(writer.lines).toEqual(["stderr: last"]);
  });

  test("a trap carries the last lines of stderr, the newest last", async () => {
    const failing = await openGuest(guest);
    for (let at = 1; at <= 30; at += 1) await failing.run(`warn line ${at}`);
    await failing.run("part unfinished");
    const trap = await failing.instance.call("run", ["trap"]).catch((thrown: unknown) => thrown);
    expect(trap).toBeInstanceOf(TrapError);
    const { stderr } = (trap as TrapError).details;
    expect(stderr).toEqual([
      ...Array.from({ length: 20 }, (_, index) => `line ${index + 11}`),
      "unfinished",
    ]);
  });

  test("1 GB of stderr: few lines reach the log, the rest is counted, the tail is kept", async () => {
    const standing = { ...systemClock, now: () => 0 };
    const lineLength = 64;
    const lines = 2 ** 30 / lineLength;
    const flooding = await openGuest(guest, { clock: standing }); // No second passes: no trickle.
    const before = process.memoryUsage.rss();
    expect(await flooding.run(`flood ${lines}`)).toBe("ok");
    const grown = process.memoryUsage.rss() - before;
    expect(grown).toBeLessThan(2 ** 28);
    await flooding.end();
    const written = flooding.lines.filter((line) => line === `stderr: ${"x".repeat(63)}`).length;
    expect(written).toBe(1_000);
    expect(flooding.lines.slice(written)).toEqual([
      "stderr: too much output: lines are dropped from here on",
      `stderr: ${lines - written} lines dropped`,
    ]);
  }, 180_000);

  test("a sleeping guest holds nobody up, and wakes when its time has come", async () => {
    const clock = simulatedClock();
    await using sleeper = await openGuest(guest, { clock });
    await using other = await openGuest(guest);
    let awake = false;
    const sleep = sleeper.run("sleep 300").then((answer) => {
      awake = true;
      return answer;
    });
    await eventually(sleeper.timers).toBe(1);
    expect(await other.run("print meanwhile")).toBe("ok");
    await clock.advance(299);
    expect(await other.run("print still")).toBe("ok");
    expect(awake).toBe(false);
    await clock.advance(1);
    expect(await sleep).toBe("slept");
    expect(sleeper.timers()).toBe(0);
  });

  test("a guest that never waits still lets the event loop turn", async () => {
    await using flooding = await openGuest(guest);
    let turns = 0;
    let running = true;
    const count = (): void => {
      turns += 1;
      if (running) systemClock.soon(count);
    };
    count();
    await flooding.run("flood 64000");
    running = false;
    expect(turns).toBeGreaterThan(5);
  });

  test("clocks and randomness are the host's", async () => {
    const clock = simulatedClock();
    await using first = await openGuest(guest, { clock, random: seededRandom(7) });
    await using second = await openGuest(guest, { clock, random: seededRandom(7) });
    await using third = await openGuest(guest, { clock, random: seededRandom(8) });
    const before = await first.run("clocks");
    await clock.advance(1_500);
    const [wallBefore = 0, steadyBefore = 0] = before.split(" ").map(Number);
    const [wall = 0, steady = 0] = (await first.run("clocks")).split(" ").map(Number);
    expect(wall - wallBefore).toBeCloseTo(1.5);
    expect(steady - steadyBefore).toBeCloseTo(1.5);
    const number = await first.run("random");
    expect(await second.run("random")).toBe(number);
    expect(await third.run("random")).not.toBe(number);
  });

  test("an instance killed while it waits leaves no timer", async () => {
    const sleeper = await openGuest(guest);
    const sleep = sleeper.run("sleep 100000").catch((thrown: unknown) => thrown);
    await eventually(sleeper.timers).toBe(1);
    await sleeper.end();
    expect(await sleep).toBeInstanceOf(TrapError);
    expect(sleeper.timers()).toBe(0);
  });

  test.for([
    [0, 0],
    [1, 1],
    [7, 1], // WASI 0.2.0 knows success and failure only; wasi-libc says no more.
  ] as const)("exit(%i) ends the instance with status %i", async ([asked, status]) => {
    await using leaving = await openGuest(guest);
    const left = await leaving.run(`exit ${asked}`).catch((thrown: unknown) => thrown);
    expect(left).toBeInstanceOf(GuestExitError);
    expect((left as GuestExitError).status).toBe(status);
    await expect(leaving.run("env")).rejects.toThrow(/cannot be entered again/);
  });

  test.for([
    [0, { type: "normal" }],
    [1, { type: "error", error: { code: "guest_exit", details: { stderr: ["why "] } } }],
  ] as const)("exit(%i) is the process's exit reason", async ([status, reason]) => {
    const kernel = await startGuestProcess(await buildC("wasi-c"));
    await kernel.call("guest", "run", ["warn why"]);
    const call = kernel.call("guest", "run", [`exit ${status}`]);
    await expect(call).rejects.toMatchObject({ code: "exited", executed: "maybe", reason });
  });

  test.for([
    [{ env: { A: "x\0y" } }, 'env: "x\\u0000y" is not a text without NUL'],
    [{ allowHttp: ["example.com"] }, "allowHttp: example.com is not an origin"],
    [{ allowHttp: ["https://example.com/path"] }, "is not an origin"],
    [{ httpLimits: { timeoutMs: 0 } }, "httpLimits.timeoutMs: 0 is not above 0"],
    [{ allowTcp: ["example.com"] }, "allowTcp: example.com is not host:port"],
    [{ allowUdp: ["example.com:0"] }, "allowUdp: example.com:0 is not host:port"],
    [{ preopens: { data: { path: "/" } } }, "the preopen data must be an absolute path"],
    [{ preopens: { "/data": { path: "/nowhere" } } }, "the preopen /data cannot be opened: ENOENT"],
  ] as const)("options that make no sense are named: %j", async ([wasi, message]) => {
    await expect(openGuest(guest, { wasi })).rejects.toThrow(message);
  });
});
