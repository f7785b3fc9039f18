/**
 * `tidy`: rules of this repository that no linter knows. Prints every breach and fails if there is one.
 *
 *   1. Packages import only downwards, as in the table below.
 *   2. Time, randomness and the environment are parameters, except where a file is named here.
 *   3. Every source file says first what it owns, and no file has more than 600 lines.
 *   4. No file of 100 KB or more is committed, and the lock file names no registry.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import process from "node:process";

const linesMax = 600;
const bytesMax = 100_000;

/** What each package may import of the others. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  otp: ["kernel"],
  net: ["kernel"],
  "net-nats": ["kernel", "net"],
  cluster: ["kernel", "otp", "net"],
  meter: [],
  component: ["kernel", "otp", "meter"],
  live: ["kernel", "otp", "cluster"],
  cli: ["kernel", "otp", "net", "net-nats", "cluster", "meter", "component", "live"],
  coppice: [
    "kernel",
    "otp",
    "net",
    "net-nats",
    "cluster",
    "meter",
    "component",
    "live",
    "cli",
    "testkit",
    "chaos",
  ],
  chat: ["coppice"],
  testkit: ["kernel", "otp", "net", "cluster"],
  chaos: ["kernel", "otp", "net", "net-nats", "cluster", "component", "cli", "testkit"],
  bench: ["coppice", "kernel", "otp", "net", "net-nats", "cluster", "testkit"],
};

/** Libraries that one package alone may import. */
const onlyIn: readonly (readonly [RegExp, string])[] = [
  [/^@nats-io\//, "net-nats"],
  [/^@bytecodealliance\//, "component"],
  [/^msgpackr$/, "net"],
  [/^ws$/, "live"],
  [/^pino$/, "cli"],
];

const ambient = [
  "Date.now",
  "new Date()",
  "performance.now",
  "setTimeout(",
  "setInterval(",
  "setImmediate(",
  "Math.random",
  "randomUUID",
  "randomBytes",
  "process.env",
];

/** Where the machine's own clock, randomness and environment come in. */
const ambientAllowed = [
  "packages/kernel/src/clock.ts",
  "packages/kernel/src/random.ts",
  "packages/testkit/src/simulated-clock.ts",
  "packages/testkit/src/simulation/simulated-time.ts",
  "packages/cli/src/",
  "packages/bench/src/",
  "packages/chaos/src/real/",
  "packages/chaos/src/suites/",
  "packages/live/src/client/",
];

const importPattern =
  /(?:^|\n)\s*(?:import|export)\b[^"';]*?from\s*"([^"]+)"|\bimport\("([^"]+)"\)/g;

const breaches: string[] = [];

function checkImports(file: string, owner: string, text: string): void {
  const isTest = file.includes("/test/");
  for (const [, fromStatement, dynamic] of text.matchAll(importPattern)) {
    const target = (fromStatement ?? dynamic)!;
    const own = target === "coppice" ? "coppice" : /^@coppice\/([\w-]+)/.exec(target)?.[1];
    const allowed = [
      ...(mayImport[owner] ?? []),
      ...(isTest ? [owner, "testkit", "otp", "kernel"] : []),
    ];
    if (own !== undefined && !allowed.includes(own))
      breaches.push(`${file}: ${owner} may not import ${own}`);
    const keeper = onlyIn.find(([pattern]) => pattern.test(target))?.[1];
    if (keeper !== undefined && keeper !== owner && !isTest)
      breaches.push(`${file}: only ${keeper} may import ${target}`);
  }
}

function checkAmbient(file: string, text: string): void {
  if (ambientAllowed.some((prefix) => file.startsWith(prefix))) return;
  const code = text.replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, "");
  for (const word of ambient)
    if (code.includes(word)) breaches.push(`${file}: ${word} is ambient; take it as a parameter`);
}

function checkSource(file: string, text: string): void {
  const [, owner = ""] = file.split("/");
  checkImports(file, owner, text);
  if (!file.includes("/src/")) return;
  checkAmbient(file, text);
  if (!/^\/\*\*[^]*?@module\s*\n?\s*\*\//.test(text))
    breaches.push(`${file}: the file must open with a comment that says what it owns (@module)`);
}

const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], { encoding: "utf8" });
for (const file of listed.trim().split("\n")) {
  const { size } = statSync(file, { throwIfNoEntry: false }) ?? { size: 0 };
  if (size >= bytesMax && file !== "pnpm-lock.yaml")
    breaches.push(`${file}: ${size} bytes; nothing generated or built is committed`);
  if (!file.endsWith(".ts") || size === 0) continue;
  const text = readFileSync(file, "utf8");
  const lines = text.split("\n").length - 1;
  if (lines > linesMax) breaches.push(`${file}: ${lines} lines of at most ${linesMax}`);
  if (file.startsWith("packages/")) checkSource(file, text);
}
if (/\bhttps?:\/\//.test(readFileSync("pnpm-lock.yaml", "utf8").replaceAll(/deprecated:.*/g, "")))
  breaches.push("pnpm-lock.yaml: names a download address");

for (const breach of breaches) process.stderr.write(`tidy: ${breach}\n`);
process.exitCode = breaches.length === 0 ? 0 : 1;
