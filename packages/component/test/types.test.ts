import { type ComponentInstance, compileComponent, instantiate } from "@coppice/component";
import { silentLogger } from "@coppice/kernel";
import fc from "fast-check";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { echoSource, padding, paddingCount } from "./components/echo.ts";
import { freshWatComponent } from "./components/wat.ts";
import { anyType, scalars, type TypedValues } from "./components/wit-arbitrary.ts";

let cacheDir: string;

beforeAll(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), "coppice-types-"));
});

afterAll(() => rm(cacheDir, { recursive: true, force: true }));

/** An instance that echoes values of these types, with what reached the host. */
async function echo(types: readonly TypedValues[]) {
  const definitions = types.flatMap((type) => type.definitions);
  const source = echoSource(
    types.map(({ text }) => text),
    definitions.join("\n"),
  );
  const bytes = await freshWatComponent(source);
  const compiled = await compileComponent({ bytes, cacheDir, logger: silentLogger });
  const received: unknown[] = [];
  const host = (value: unknown): unknown => {
    received.push(value);
    return [value, paddingCount];
  };
  const imports = Object.fromEntries(types.map((_, index) => [`host-${index}`, host]));
  const instance = await instantiate(compiled, { imports, onOutput: () => {} });
  return { instance, received };
}

async function survives(
  { instance, received }: { instance: ComponentInstance; received: unknown[] },
  index: number,
  value: unknown,
): Promise<void> {
  const [echoed] = (await instance.call(`echo-${index}`, [value, ...padding])) as [unknown];
  expect(echoed).toEqual(value);
  const through = (await instance.call(`through-${index}`, [value, ...padding])) as [unknown];
  expect(received.pop()).toEqual(value);
  expect(through).toEqual([value, paddingCount]);
}

test("values of every scalar type survive both ways", async () => {
  const open = await echo(scalars);
  for (const [index, { values }] of scalars.entries())
    await fc.assert(fc.asyncProperty(values, (value) => survives(open, index, value)));
});

test("text keeps its byte order mark", async () => {
  const index = scalars.findIndex(({ text }) => text === "string");
  await survives(await echo(scalars), index, "\ufefftext");
});

test("values of arbitrary types survive both ways", async () => {
  const worlds = fc.array(anyType(3), { minLength: 8, maxLength: 8 }).chain((types) =>
    fc.record({
      types: fc.constant(types),
      values: fc.array(fc.tuple(...types.map(({ values }) => values)), {
        minLength: 5,
        maxLength: 5,
      }),
    }),
  );
  await fc.assert(
    fc.asyncProperty(worlds, async ({ types, values }) => {
      const open = await echo(types);
      for (const row of values)
        for (const [index, value] of row.entries()) await survives(open, index, value);
    }),
    { numRuns: 4, endOnFailure: true },
  );
});
