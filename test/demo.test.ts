import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser, noBrowser } from "./browser.ts";
import {
  coppice,
  descendants,
  isRunning,
  rows,
  type RunningDemo,
  startDemo,
} from "./demo-process.ts";

const joinLine = "You joined the wasm component chat!";
const roomLine = "And here is a message from a wasm component!!";

if (noBrowser !== undefined) process.stderr.write(`SKIPPED: the chat in a browser: ${noBrowser}\n`);

describe.skipIf(noBrowser !== undefined)("the chat, in a browser", () => {
  let demo: RunningDemo;
  let browser: Browser;

  beforeAll(async () => {
    demo = await startDemo();
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser.close();
    demo.process.kill("SIGTERM");
    await demo.exit;
  });

  async function open(url: string): Promise<Page> {
    const page = await browser.newPage();
    await page.goto(url);
    await page.locator("body.lv-connected").waitFor();
    return page;
  }

  async function say(page: Page, message: string): Promise<void> {
    await page.getByLabel("Message").fill(message);
    await page.getByRole("button", { name: "Add" }).click();
  }

  const lines = (page: Page): Promise<string[]> => page.locator("main li").allInnerTexts();
  const shows = (page: Page, expected: readonly string[]): Promise<void> =>
    expect.poll(() => lines(page), { timeout: 15_000 }).toEqual(expected);

  test("posts reach every page of every node, the word WAT hurts only who says it, and a killed node nobody", async () => {
    const [onA, onB, onC] = demo.urls;
    const [b, c, plain] = await Promise.all([
      open(`${onB}/wasm-chat`),
      open(`${onC}/wasm-chat`),
      open(`${onA}/chat`),
    ]);
    await shows(b, [joinLine]);
    await shows(c, [joinLine]);
    await shows(plain, []);

    await say(b, "hello");
    await shows(b, [joinLine, "hello", roomLine]);
    await shows(c, [joinLine, "hello", roomLine]);
    await shows(plain, [roomLine, "hello"]);
    await say(plain, "from the plain page");
    await shows(c, [joinLine, "hello", roomLine, "from the plain page"]);

    await say(b, "WAT");
    await b.getByText("Something went wrong!").waitFor();
    await shows(b, [joinLine]);
    await shows(c, [joinLine, "hello", roomLine, "from the plain page"]);
    expect(demo.said()).toContain("✖ chat-room crashed on node a");
    expect(demo.said()).toContain("stderr  expected a string");
    expect(demo.said()).toContain("chat-room is restarting: 1 of at most 3 within 5 s");

    await say(b, "back again");
    await shows(b, [joinLine, "back again", roomLine]);

    const [room] = await rows<{ name: string; node: string; epoch: number }>("names");
    expect(room).toMatchObject({ name: "chat-room", node: "a" });
    const nodes = await rows<{ name: string; osPid: number }>("nodes");
    process.kill(nodes.find(({ name }) => name === "a")!.osPid, "SIGKILL");
    await expect
      .poll(async () => (await rows<{ node: string }>("names"))[0]!.node, { timeout: 15_000 })
      .not.toBe("a");
    await say(c, "still here");
    await shows(b, [joinLine, "back again", roomLine, "still here", roomLine]);
    const last = async (): Promise<readonly string[]> => (await lines(c)).slice(-2);
    await expect.poll(last, { timeout: 15_000 }).toEqual(["still here", roomLine]);
    expect((await rows<{ epoch: number }>("names"))[0]!.epoch).toBeGreaterThan(room!.epoch);
    await expect
      .poll(() => demo.said())
      .toMatch(/node [bc] runs chat-room \d+ ms after its node was lost/);
  });

  test("four crashes within five seconds end the room's supervisor, and its own supervisor brings it back", async () => {
    for (let crash = 0; crash < 4; crash += 1)
      await coppice(["call", "chat-room", "add-message", '"WAT"']);
    await expect.poll(() => demo.said()).toContain("rooms gives up");
    expect(await rows("call", "chat-room", "init")).toEqual([joinLine]);
  });
});

describe("the end of the demo", () => {
  test.for(["SIGTERM", "SIGKILL"] as const)("after %s no process of it is left", async (signal) => {
    const demo = await startDemo();
    const pids = await descendants(demo.process.pid!);
    expect(pids.length).toBeGreaterThanOrEqual(5); // Three nodes, a nats-server, the watchdog.
    demo.process.kill(signal);
    expect(await demo.exit).toBe(signal === "SIGTERM" ? 0 : null);
    await expect.poll(() => pids.filter(isRunning), { timeout: 20_000 }).toEqual([]);
    for (const url of demo.urls) await expect(fetch(url)).rejects.toThrow();
  });
});
