import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startSite } from "./site.ts";

const executablePath = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"].find(existsSync);
if (executablePath === undefined)
  process.stderr.write(
    "SKIPPED: live views in a real browser: no chromium was found in /usr/bin\n",
  );

describe.skipIf(executablePath === undefined)("in a real browser", () => {
  let browser: Browser;
  beforeAll(async () => {
    const args = [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--disable-background-networking",
    ];
    browser = await chromium.launch({ executablePath: executablePath!, args });
  }, 60_000);
  afterAll(() => browser.close());

  async function open() {
    const site = await startSite();
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    await page.goto(`${site.url}/counter`);
    await page.locator("body.lv-connected").waitFor();
    return { page, errors, site };
  }

  test("clicks and forms reach the view, and text stays text", async () => {
    const { page, errors } = await open();
    await page.getByRole("button", { name: "Add" }).click();
    await page.getByText("2", { exact: true }).waitFor();
    await page.getByLabel("Line").fill("<b>hi</b>");
    await page.getByRole("button", { name: "Say" }).click();
    await page.getByText("<b>hi</b>").waitFor();
    await expect.poll(() => page.getByLabel("Line").inputValue()).toBe("");
    expect(errors).toEqual([]);
  });

  test("a crash shows a message, and the view comes back", async () => {
    const { page } = await open();
    await page.getByRole("button", { name: "Add" }).click();
    await page.getByText("2", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Crash" }).click();
    await page.getByText("Something went wrong!").waitFor();
    await page.getByText("0", { exact: true }).waitFor();
    await page.locator("body.lv-connected").waitFor();
    await page.getByRole("button", { name: "Add" }).click();
    await page.getByText("2", { exact: true }).waitFor();
  });

  test("what somebody is typing survives an update from the server", async () => {
    const { page, site } = await open();
    await page.getByLabel("Line").pressSequentially("half a li");
    site.kernel.send(site.subscribers.at(-1)!, "news");
    await page.getByText("news").waitFor();
    expect(await page.getByLabel("Line").inputValue()).toBe("half a li");
  });
});
