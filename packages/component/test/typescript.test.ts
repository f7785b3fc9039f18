import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { BuildError, ComponentNotFoundError, componentTypes } from "@coppice/component";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildChatRoom, buildTimeoutMs } from "./chat-room.ts";
import { readWitDocs } from "../src/wit-docs.ts";

const run = promisify(execFile);
const workspace = fileURLToPath(new URL("../../../", import.meta.url));
const component = (name: string): string =>
  fileURLToPath(new URL(`components/${name}`, import.meta.url));
/** The programs below are files of a user. */
const fromCoppice = 'from "coppice"';
let folder: string;

beforeAll(async () => {
  // Inside the workspace, so that "coppice" is found.
  await mkdir(join(workspace, ".cache"), { recursive: true });
  folder = await mkdtemp(join(workspace, ".cache", "typescript-"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** What tsc says about files that use what was written. */
async function compile(files: Readonly<Record<string, string>>): Promise<string> {
  const own = await mkdtemp(join(folder, "run-"));
  for (const [name, text] of Object.entries(files)) await writeFile(join(own, name), text);
  const config = {
    extends: join(workspace, "tsconfig.json"),
    include: ["*.ts", join(workspace, "types")],
    exclude: [],
  };
  await writeFile(join(own, "tsconfig.json"), JSON.stringify(config));
  try {
    await run(join(workspace, "node_modules/.bin/tsc"), ["-p", own]);
    return "";
  } catch (thrown) {
    return (thrown as { readonly stdout: string }).stdout;
  }
}

describe("what is written is checked by the compiler", () => {
  test("functions of the world, and what it imports", async () => {
    const use = `
      import { type ClusterNode, component, type ChildSpec } ${fromCoppice};
      import type { ChatRoom, ChatRoomImports } from "./chat-room.ts";
      declare const node: ClusterNode;
      const room = node.ref<ChatRoom>("chat-room");
      export const said: Promise<string> = room.call("add-message", ["x"]);
      export const lines: Promise<string[]> = room.call("message-added", ["x", ["y"]]);
      // @ts-expect-error a number is no message
      void room.call("add-message", [1]);
      // @ts-expect-error there is no such function
      void room.call("addMessages", ["x"]);
      const imports: ChatRoomImports = { "publish-message": async (message) => message.toUpperCase() };
      export const child: ChildSpec = component({ id: "room", path: "room.wasm", cacheDir: "cache", imports });
      // @ts-expect-error it answers a text
      export const wrong: ChatRoomImports = { "publish-message": () => 1 };`;
    const text = await componentTypes({ path: join(workspace, "wit/chat-room.wit") });
    expect(text).toContain("A visitor says something.");
    expect(await compile({ "chat-room.ts": text, "use.ts": use })).toBe("");
  });

  test("resources: handles for callers, classes for the host", async () => {
    const use = `
      import { type ClusterNode, component, type ChildSpec } ${fromCoppice};
      import type { Cart, Logger, Shop, ShopImports } from "./shop.ts";
      declare const node: ClusterNode;
      const shop = node.ref<Shop>("shop");
      const cart: Cart = await shop.call("carts.cart.new", [100]);
      export const total: number = await shop.call("carts.cart.add", [cart, 5]);
      await shop.call("carts.cart.drop", [cart]);
      // @ts-expect-error a logger is no cart
      await shop.call("carts.checkout", [await shop.call("give", [])]);
      class Lines implements Logger {
        static level() { return 1; }
        readonly prefix: string;
        constructor(prefix: string) { this.prefix = prefix; }
        async log(line: string) { console.log(this.prefix, line); }
      }
      const imports: ShopImports = {
        "example:shop/logging@1.2.0": {
          Logger: Lines,
          defaultLogger: () => new Lines("default"),
          flush: async (target) => { await target.log("flushed"); return 1; },
        },
      };
      export const child: ChildSpec = component({ id: "shop", path: "shop.wasm", cacheDir: "cache", imports });`;
    const text = await componentTypes({ path: component("shop.wit") });
    expect(await compile({ "shop.ts": text, "use.ts": use })).toBe("");
  });

  test("every type, by its documented form", async () => {
    const use = `
      import type { ClusterNode } ${fromCoppice};
      import type { Every, Item, Mode, Shape } from "./every.ts";
      declare const node: ClusterNode;
      const every = node.ref<Every>("every");
      const item: Item = { name: "milk", unitPrice: 2 };
      const shape: Shape = { tag: "labelled", val: ["a", { ...item, bestBefore: 3n }] };
      await every.call("kinds.scalars", [true, 1, -1, 2, -2, 3, -3, 4n, -4n, 0.5, Number.NaN, "c", "text"]);
      const shapes: Shape[] = await every.call("kinds.lists", [Uint8Array.of(1), [1], [item], [["a"]]]);
      await every.call("kinds.options", [undefined, { tag: "some", val: undefined }, item]);
      const mode: Mode = await every.call("kinds.results", [{ tag: "ok" }, { tag: "ok", val: 1 }, { tag: "err", val: "no" }, { tag: "err", val: "dark-blue" }]);
      const [colour, how] = await every.call("kinds.colours", ["red", { fast: true }]);
      // @ts-expect-error no such colour
      await every.call("kinds.colours", ["green", {}]);
      // @ts-expect-error 64-bit integers are bigints
      await every.call("kinds.scalars", [true, 1, -1, 2, -2, 3, -3, 4, -4n, 0.5, 1, "c", "text"]);
      // @ts-expect-error a price is missing
      export const cheap: Item = { name: "air" };
      export { colour, how, mode, shape, shapes };`;
    const text = await componentTypes({ path: component("every-type.wit") });
    expect(text).toContain("/** What people call it. */");
    expect(await compile({ "every.ts": text, "use.ts": use })).toBe("");
  });

  test("a folder of WIT with its dependencies", async () => {
    const text = await componentTypes({ path: component("wit-folder") });
    const use = `
      import type { Atlas, Point } from "./atlas.ts";
      declare const atlas: Atlas;
      const here: Point = { x: 0, y: 0 };
      export const far: number = atlas.distance(here, { x: 1, y: 1 });
      export const name: string = atlas["names.name-of"](here);`;
    expect(text).toContain("A place.");
    expect(await compile({ "atlas.ts": text, "use.ts": use })).toBe("");
  });

  test(
    "a built component, by the name of its file",
    async () => {
      const text = await componentTypes({ path: await buildChatRoom() });
      expect(text).toContain("export interface Component {");
      expect(text).toContain('"add-message"(message: string): string;');
      expect(text).not.toContain("wasi:");
      expect(await compile({ "component.ts": text })).toBe("");
    },
    buildTimeoutMs,
  );
});

test("what cannot be read is told", async () => {
  await expect(componentTypes({ path: "nothing.wit" })).rejects.toThrow(ComponentNotFoundError);
  const path = join(folder, "worlds.wit");
  await writeFile(path, "package a:b; world one {} world two {}");
  await expect(componentTypes({ path })).rejects.toThrow("choose a world; it has one, two");
  await expect(componentTypes({ path, world: "three" })).rejects.toThrow("has no world three");
  await writeFile(path, "package a:b; world one { export f: func( }");
  await expect(componentTypes({ path })).rejects.toThrow(BuildError);
  await expect(componentTypes({ path })).rejects.toThrow("worlds.wit has a mistake in its WIT");
});

test("documentation is found for what it stands before", () => {
  const { docs, worlds } = readWitDocs(`
    package a:b@1.0.0;
    // not documentation
    /// An interface.
    @since(version = 1.0.0)
    interface i {
      use other:pkg/things.{thing};
      /// A record.
      record r { /// A field.
        f-1: option<tuple<u8, u8>>, /* nothing */ g: u8 }
      /** Two
       * lines. */
      %type: func(a: u8) -> u8;
      resource res { /// Makes.
        constructor(); /// Does.
        m: func(); /// Makes too.
        s: static func() -> res; }
    }
    /// A world.
    world w { import a:b/i@1.0.0; /// Says.
      export say: func(); include x; }`);
  expect(worlds).toEqual(["w"]);
  expect([...docs]).toEqual([
    ["a:b/i", "An interface."],
    ["a:b/i#r", "A record."],
    ["a:b/i#r.f-1", "A field."],
    ["a:b/i#type", "Two\nlines."],
    ["a:b/i#[constructor]res", "Makes."],
    ["a:b/i#[method]res.m", "Does."],
    ["a:b/i#[static]res.s", "Makes too."],
    ["world w", "A world."],
    ["world w#say", "Says."],
  ]);
});
