/**
 * Checks the examples in the documents: every `ts` block type-checks, as if each were a file of its own, and then runs to its
 * end without an error. What an example promises it asserts itself.
 *
 * A block marked `ts no-run` is only type-checked: it needs what a test does not have.
 *
 * @module
 */
import { execFile, execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import process from "node:process";

const folder = ".doctest";
const blockPattern = /^```ts( no-run)?\n([^]*?)^```$/gm;
/** How long an example may run, in milliseconds: one that leaves something running never ends. */
const runMsMax = 60_000;

interface Example {
  /** Where it stands, for people. */
  readonly title: string;
  readonly file: string;
  readonly runs: boolean;
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
const examples = extractExamples();
const failures = typesAreRight() ? await runAll(examples.filter(({ runs }) => runs)) : 1;
process.stderr.write(`doctest: ${examples.length} examples, ${failures} failed\n`);
rmSync(folder, { recursive: true, force: true });
process.exitCode = failures === 0 ? 0 : 1;

/** Writes every block to a file. */
function extractExamples(): Example[] {
  const found: Example[] = [];
  const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "*.md"], {
    encoding: "utf8",
  });
  for (const document of listed.trim().split("\n")) {
    const text = readFileSync(document, "utf8");
    for (const { 1: mark, 2: code = "", index } of text.matchAll(blockPattern)) {
      const line = text.slice(0, index).split("\n").length;
      const file = join(folder, `${document.replaceAll(/[/.]/g, "-")}-${line}.ts`);
      writeFileSync(file, `${code}\nexport {};\n`);
      found.push({ title: `${document}:${line}`, file, runs: mark === undefined });
    }
  }
  return found;
}

function typesAreRight(): boolean {
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      extends: "../tsconfig.json",
      include: ["*.ts", "../types"],
      exclude: [],
      compilerOptions: { noUnusedLocals: false, noUnusedParameters: false },
    }),
  );
  return spawnSync("tsc", ["-p", folder], { stdio: "inherit" }).status === 0;
}

/** Runs the examples, some at a time. Returns how many failed. */
async function runAll(waiting: Example[]): Promise<number> {
  let failed = 0;
  const runSome = async (): Promise<void> => {
    let example: Example | undefined;
    while ((example = waiting.shift()) !== undefined) {
      const problem = await run(example);
      if (problem === undefined) continue;
      failed += 1;
      process.stderr.write(`doctest: ${example.title} failed: ${problem}\n`);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, runSome));
  return failed;
}

/** What went wrong with an example, if something did. */
function run({ file }: Example): Promise<string | undefined> {
  const options = { timeout: runMsMax, env: { ...process.env, LOG_LEVEL: "silent" } };
  return new Promise((resolve) => {
    execFile(process.execPath, [file], options, (error, stdout, stderr) => {
      if (error === null) resolve(undefined);
      else if (error.killed === true) resolve(`it did not end within ${runMsMax} ms`);
      else resolve(`${stdout}${stderr}`);
    });
  });
}
