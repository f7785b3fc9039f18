/**
 * `npm test`: every suite. What real parts need is installed first where this machine allows it.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";
import { ensureNatsServer, installPackage } from "../packages/cli/src/demo/install.ts";

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** A suite that cannot run says SKIPPED and why by itself; here it is told why nothing could be done about it. */
async function prepare(what: string, install: () => Promise<unknown>): Promise<void> {
  try {
    await install();
  } catch (thrown) {
    say(
      `SKIPPED: what needs ${what}: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
    );
  }
}

async function ensureBrowser(): Promise<void> {
  const paths = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"];
  if (!paths.some(existsSync)) await installPackage("chromium-headless-shell", say);
}

/** What builds test components from C. */
async function ensureClang(): Promise<void> {
  const needed = [
    ["clang", "/usr/bin/clang"],
    ["lld", "/usr/bin/wasm-ld"],
    ["wasi-libc", "/usr/lib/wasm32-wasi/libc.a"],
    ["libclang-rt-14-dev-wasm32", "/usr/lib/llvm-14/lib/clang/14.0.6/lib/wasi"],
  ] as const;
  for (const [name, path] of needed) if (!existsSync(path)) await installPackage(name, say);
}

function vitest(args: readonly string[]): Promise<number> {
  const child = spawn("vitest", ["run", ...args], { stdio: "inherit" });
  return new Promise((resolve) => {
    child.once("exit", (status) => resolve(status ?? 1));
  });
}

await prepare("nats-server", () => ensureNatsServer(say));
await prepare("chromium", ensureBrowser);
await prepare("clang for WebAssembly", ensureClang);
const filters = process.argv.slice(2);
if (filters.length > 0) {
  process.exitCode = await vitest(filters);
} else {
  // The end-to-end suites have the machine for themselves.
  const packages = await vitest(["--project", "packages"]);
  const endToEnd = await vitest(["--project", "end-to-end"]);
  process.exitCode = packages === 0 ? endToEnd : packages;
}
