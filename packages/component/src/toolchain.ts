/**
 * The component tools, run in a process of their own: they compute for seconds, and start programs themselves.
 *
 * @module
 */
import { fork } from "node:child_process";
import type { RewriteOptions } from "@coppice/meter";
import type { Files } from "./cache.ts";

/** What the tools can be asked. */
export type ToolRequest =
  /** Build a component from JavaScript. Answers `component.wasm`. */
  | {
      readonly tool: "componentize";
      readonly sourcePath: string;
      readonly wit: string;
      readonly world: string;
    }
  /** Build a component that has a world and does nothing. Answers `component.wasm`. */
  | { readonly tool: "interface"; readonly wit: string; readonly world: string }
  /** Build a component from WebAssembly's text format. Answers `component.wasm`. */
  | { readonly tool: "parse"; readonly text: string }
  /** Turn a component into JavaScript and core modules. */
  | {
      readonly tool: "transpile";
      readonly bytes: Uint8Array;
      readonly asyncImports: readonly string[];
      readonly asyncExports: readonly string[];
      /** What its imported interfaces are to be called. */
      readonly importKeys: Readonly<Record<string, string>>;
      /** How its core modules are rewritten. */
      readonly rewrite: RewriteOptions;
    };

/** What the process answers. */
export type ToolAnswer =
  | { readonly ok: true; readonly files: Files }
  | {
      readonly ok: false;
      readonly message: string;
      /** The component is whole, and uses what cannot be metered. */
      readonly unsupported: boolean;
    };

/** A component is whole, but uses what cannot be metered. */
export class UnsupportedByToolError extends Error {}

/** Part of every cache key: other versions make other files. */
export const toolVersions = "componentize-js 0.23.0, jco 1.35.0, jco-transpile 0.15.0, format 10";

/** Runs one tool. @throws {Error} with the tool's message. @throws {UnsupportedByToolError} */
export async function runTool(request: ToolRequest): Promise<Files> {
  const { promise, resolve, reject } = Promise.withResolvers<ToolAnswer>();
  const child = fork(new URL("./toolchain-process.ts", import.meta.url), {
    serialization: "advanced",
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  child.once("message", resolve);
  child.once("error", reject);
  child.once("exit", (code, signal) =>
    reject(new Error(`the ${request.tool} process ended (${signal ?? code})`)),
  );
  child.send(request);
  const answer = await promise;
  if (!answer.ok) throw new (answer.unsupported ? UnsupportedByToolError : Error)(answer.message);
  return answer.files;
}
