/**
 * A real browser for tests: Debian's headless Chromium.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const executablePath = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"].find(existsSync);

/** Why there is none here; undefined if there is one. */
export const noBrowser =
  executablePath === undefined
    ? "no chromium-headless-shell or chromium in /usr/bin: install Debian's package"
    : undefined;

export function launchBrowser(): Promise<Browser> {
  const args = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ];
  return chromium.launch({ executablePath: executablePath!, args });
}
