/**
 * The files a browser needs, read once: the client as JavaScript, its DOM patcher, the style sheet.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { createRequire, stripTypeScriptTypes } from "node:module";

/** A file to serve. */
export interface Asset {
  readonly type: string;
  readonly body: string;
}

const require = createRequire(import.meta.url);

/** By URL path. */
export async function loadAssets(): Promise<ReadonlyMap<string, Asset>> {
  const script = async (name: string): Promise<Asset> => {
    const source = await readFile(new URL(`./client/${name}`, import.meta.url), "utf8");
    const body = stripTypeScriptTypes(source).replace(
      'from "morphdom"',
      'from "/live/morphdom.js"',
    );
    return { type: "text/javascript; charset=utf-8", body };
  };
  const style = await readFile(new URL("./client/live.css", import.meta.url), "utf8");
  const morphdom = require.resolve("morphdom").replace(/morphdom\.js$/, "morphdom-esm.js");
  return new Map<string, Asset>([
    ["/live/client.ts", await script("client.ts")],
    ["/live/tree.ts", await script("tree.ts")],
    [
      "/live/morphdom.js",
      { type: "text/javascript; charset=utf-8", body: await readFile(morphdom, "utf8") },
    ],
    ["/live/live.css", { type: "text/css; charset=utf-8", body: style }],
  ]);
}
