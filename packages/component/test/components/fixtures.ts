/**
 * The components of this folder, compiled.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { type CompiledComponent, compileComponent } from "@coppice/component";
import { silentLogger } from "@coppice/kernel";
import { cacheDir } from "../chat-room.ts";
import { watComponent } from "./wat.ts";

/** The bytes of a component of WAT and WIT files of the same name, which is its world's too. */
export async function watFixture(name: string): Promise<Uint8Array> {
  const read = (file: string): Promise<string> => readFile(new URL(file, import.meta.url), "utf8");
  return watComponent({
    wit: await read(`${name}.wit`),
    world: name,
    wat: await read(`${name}.wat`),
  });
}

export async function compileFixture(
  name: string,
  options: { readonly memoryBytes?: number; readonly replaces?: (name: string) => boolean } = {},
): Promise<CompiledComponent> {
  const bytes = await watFixture(name);
  return compileComponent({ bytes, cacheDir, logger: silentLogger, ...options });
}
