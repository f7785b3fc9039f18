/**
 * A program that compiles the tiny component at a path and sends what it answers: for tests with several processes.
 *
 * @module
 */
import { compileComponent, instantiate } from "@coppice/component";
import { silentLogger } from "@coppice/kernel";

const [path = "", cacheDir = ""] = process.argv.slice(2);
const compiled = await compileComponent({ path, cacheDir, logger: silentLogger });
const instance = await instantiate(compiled, { imports: { number: () => 1 }, onOutput: () => {} });
const sum = await instance.call("add", [2, 3]);
process.send?.(sum, () => process.disconnect?.());
