/**
 * Checks the examples in the documents: every `ts` block type-checks, as if each were a file of its own.
 *
 * A block that cannot stand alone is marked `ts ignore`.
 *
 * @module
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

const folder = ".doctest";
const blockPattern = /```ts\n([^]*?)```/g;

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "*.md"], {
  encoding: "utf8",
});
let count = 0;
for (const file of listed.trim().split("\n")) {
  const text = readFileSync(file, "utf8");
  for (const [, code] of text.matchAll(blockPattern)) {
    count += 1;
    const name = `${file.replaceAll(/[/.]/g, "-")}-${count}.ts`;
    writeFileSync(join(folder, name), `${code}\nexport {};\n`);
  }
}
writeFileSync(
  join(folder, "tsconfig.json"),
  JSON.stringify({
    extends: "../tsconfig.json",
    include: ["*.ts", "../types"],
    exclude: [],
    compilerOptions: { noUnusedLocals: false, noUnusedParameters: false },
  }),
);
const { status } =
  count === 0 ? { status: 0 } : spawnSync("tsc", ["-p", folder], { stdio: "inherit" });
process.stderr.write(`doctest: ${count} examples\n`);
rmSync(folder, { recursive: true, force: true });
process.exitCode = status ?? 1;
