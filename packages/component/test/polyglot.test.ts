import { compileComponent, InstanceDeadError, instantiate, TrapError } from "@coppice/component";
import { silentLogger } from "@coppice/kernel";
import { describe, expect, test } from "vitest";
import { buildTimeoutMs, cacheDir } from "./chat-room.ts";
import { languages } from "./components/polyglot/build.ts";

for (const { name, missing } of languages)
  if (missing !== undefined)
    process.stderr.write(`SKIPPED: a component written in ${name}: ${missing} is missing\n`);

describe.for(languages.filter(({ missing }) => missing === undefined))(
  "a component written in $name",
  ({ build }) => {
    test(
      "keeps its state, calls its host, and traps alone",
      { timeout: buildTimeoutMs },
      async () => {
        const bytes = await build();
        const compiled = await compileComponent({ bytes, cacheDir, logger: silentLogger });
        const said: string[] = [];
        const say = async (line: string): Promise<void> => void said.push(line);
        const open = () => instantiate(compiled, { imports: { say }, onOutput: () => {} });
        const [instance, other] = [await open(), await open()];
        expect(await instance.call("add", [40])).toBe(40n);
        expect(await instance.call("add", [2])).toBe(42n);
        expect(await other.call("add", [1])).toBe(1n);
        expect(await instance.call("greet", ["Zoë 🌱"])).toBe("Hello, Zoë 🌱!");
        expect(said).toEqual(["greeting Zoë 🌱"]);
        await expect(instance.call("fail", [])).rejects.toThrow(TrapError);
        await expect(instance.call("add", [1])).rejects.toThrow(InstanceDeadError);
        expect(await other.call("add", [1])).toBe(2n);
      },
    );
  },
);
