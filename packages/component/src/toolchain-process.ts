/**
 * The process in which one component tool runs: it takes one request and sends one answer.
 *
 * @module
 */
import process from "node:process";
import { componentize, type ComponentizeOptions } from "@bytecodealliance/componentize-js";
import { componentEmbed, componentNew, parse } from "@bytecodealliance/jco";
import { transpileBytes } from "@bytecodealliance/jco-transpile";
import { rewrite, type RewriteOptions, UnsupportedModuleError } from "@coppice/meter";
import type { Files } from "./cache.ts";
import type { ToolAnswer, ToolRequest } from "./toolchain.ts";

async function run(request: ToolRequest): Promise<Files> {
  switch (request.tool) {
    case "componentize": {
      const options = {
        sourcePath: request.sourcePath,
        witWorld: request.wit, // As text: with a path, its files are not found under preview2-shim 0.26.
        worldName: request.world,
        // stdio stays: a guest that aborts says why on stderr.
        disableFeatures: ["http", "fetch-event", "random", "clocks"],
      };
      const { component } = await componentize(options as unknown as ComponentizeOptions);
      return { "component.wasm": component };
    }
    case "interface": {
      const { wit: witSource, world } = request;
      const core = await componentEmbed({ dummy: true, witSource, world });
      return { "component.wasm": await componentNew(core, []) };
    }
    case "parse":
      return { "component.wasm": await parse(request.text) };
    case "transpile": {
      const { files } = await transpileBytes(request.bytes, {
        name: "component",
        instantiation: "async",
        asyncMode: "jspi",
        asyncImports: [...request.asyncImports],
        asyncExports: [...request.asyncExports],
        map: request.importKeys,
        noComponentErrorWrapping: false,
        emitTypescriptDeclarations: false,
        wasiShim: false,
      });
      return metered(files, request.rewrite);
    }
  }
}

function metered(files: Files, options: RewriteOptions): Files {
  const rewritten = Object.entries(files).map(
    ([name, bytes]) => [name, name.endsWith(".wasm") ? rewrite(bytes, options) : bytes] as const,
  );
  return Object.fromEntries(rewritten);
}

process.once("message", async (request: ToolRequest) => {
  let answer: ToolAnswer;
  try {
    answer = { ok: true, files: await run(request) };
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    answer = { ok: false, message, unsupported: thrown instanceof UnsupportedModuleError };
  }
  process.send?.(answer, () => process.disconnect?.());
});
