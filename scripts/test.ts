/**
 * `npm test`: the examples in the documents, every suite, simulated clusters. What real parts need is installed first where this machine allows it.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { existsSync, globSync } from "node:fs";
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

/** What makes wall clocks jump. */
async function ensureFakeTime(): Promise<void> {
  if (globSync("/usr/lib/*/faketime/libfaketimeMT.so.1").length === 0)
    await installPackage("libfaketime", say);
}

/** Compilers whose output is tested: C and Rust. */
async function ensureCompilers(): Promise<void> {
  const packages: readonly (readonly [path: string, name: string])[] = [
    ["/usr/bin/clang", "clang"],
    ["/usr/bin/wasm-ld", "lld"],
    ["/usr/include/wasm32-wasi", "wasi-libc"],
    ["/usr/lib/clang/*/lib/wasi", "libclang-rt-dev-wasm32"],
    ["/usr/bin/rustc", "rustc"],
    ["/usr/lib/rustlib/wasm32-unknown-unknown", "libstd-rust-dev-wasm32"],
  ];
  for (const [path, name] of packages)
    if (globSync(path).length === 0) await installPackage(name, say);
}

function run(command: string, args: readonly string[]): Promise<number> {
  const child = spawn(command, args, { stdio: "inherit" });
  return new Promise((resolve) => {
    child.once("exit", (status) => resolve(status ?? 1));
  });
}

await prepare("nats-server", () => ensureNatsServer(say));
await prepare("chromium", ensureBrowser);
await prepare("libfaketime", ensureFakeTime);
await prepare("C and Rust compilers", ensureCompilers);
/** How many simulated clusters are broken: about three minutes on two cores. */
const simulatedSeeds = "20000";
const filters = process.argv.slice(2);
if (filters.length > 0) {
  process.exitCode = await run("vitest", ["run", ...filters]);
} else {
  const statuses = [
    await run(process.execPath, ["scripts/doctest.ts"]),
    await run("vitest", ["run", "--project", "packages"]),
    await run(process.execPath, [
      "packages/chaos/src/simulation/main.ts",
      "--seeds",
      simulatedSeeds,
    ]),
    await run("vitest", ["run", "--project", "end-to-end"]), // They have the machine for themselves.
  ];
  process.exitCode = statuses.find((status) => status !== 0) ?? 0;
}
