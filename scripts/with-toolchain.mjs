// Runs one command with this repository's pinned toolchain, installing it first when it is missing or stale.
//
// Usage: node scripts/with-toolchain.mjs <command> [arguments...]
//
// This is the only file that an older Node must be able to run (Node 20 or later, no dependencies):
//   1. `npm` (which comes with Node) installs the pinned pnpm into .tools/.
//   2. That pnpm installs the workspace from pnpm-lock.yaml, which brings Node 26 from the npm registry.
//   3. The command runs with node_modules/.bin first on PATH, so `node` is that Node 26.
// What the installs print goes to stderr: stdout belongs to the command.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const parentPollMs = 500;

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const bin = path.join(root, "node_modules", ".bin");
const tools = path.join(root, ".tools");
const stamp = path.join(root, "node_modules", ".toolchain-stamp");
const [command, ...args] = process.argv.slice(2);
if (command === undefined) fail("usage: node scripts/with-toolchain.mjs <command> [arguments...]");

const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
const pnpmVersion = manifest.packageManager.replace(/^pnpm@/, "").replace(/\+.*$/, "");
const wanted = fingerprint();
if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) await install();
process.exitCode = await run(command, args, "inherit");

/** Everything that decides what an install produces. */
function fingerprint() {
  const hash = createHash("sha256");
  const manifests = readdirSync(path.join(root, "packages"))
    .map((name) => path.join("packages", name, "package.json"))
    .filter((file) => existsSync(path.join(root, file)))
    .sort();
  for (const name of ["package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml", ...manifests]) {
    hash.update(readFileSync(path.join(root, name)));
  }
  return hash.digest("hex");
}

async function install() {
  const pnpm = path.join(tools, "node_modules", ".bin", "pnpm");
  const installed = path.join(tools, "node_modules", "pnpm", "package.json");
  if (
    !existsSync(installed) ||
    JSON.parse(readFileSync(installed, "utf8")).version !== pnpmVersion
  ) {
    mkdirSync(tools, { recursive: true });
    writeFileSync(path.join(tools, "package.json"), '{ "private": true }\n');
    await must("npm", [
      "install",
      "--prefix",
      tools,
      "--no-audit",
      "--no-fund",
      "--no-update-notifier",
      "--loglevel=error",
      `pnpm@${pnpmVersion}`,
    ]);
  }
  await must(pnpm, ["install", "--frozen-lockfile", "--reporter=append-only"]);
  writeFileSync(stamp, wanted);
}

/** Runs `file` to its end and resolves to its exit status. It gets every signal this process gets, and ends with it. */
function run(file, argv, stdout) {
  const PATH = `${bin}${path.delimiter}${process.env.PATH}`;
  const child = spawn(file, argv, {
    cwd: root,
    stdio: ["inherit", stdout, "inherit"],
    env: { ...process.env, PATH },
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
    process.on(signal, () => child.kill(signal));
  // A parent that was killed outright sends no signal: without this the command would run on unseen.
  const parent = process.ppid;
  const poll = setInterval(() => {
    if (process.ppid !== parent) child.kill("SIGTERM");
  }, parentPollMs);
  return new Promise((resolve) => {
    child.on("error", (error) => fail(`cannot run ${file}: ${error.message}`));
    child.on("exit", (status, signal) => {
      clearInterval(poll);
      resolve(status ?? 128 + constants.signals[signal]);
    });
  });
}

async function must(file, argv) {
  const status = await run(file, argv, 2);
  if (status !== 0) fail(`${path.basename(file)} ${argv.join(" ")} exited with ${status}`);
}

function fail(message) {
  console.error(`with-toolchain: ${message}`);
  process.exit(1);
}
