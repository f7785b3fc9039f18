/**
 * The chat room of the demo, built once and kept in the workspace's cache.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { buildJsComponent, compileComponent } from "@coppice/component";
import { silentLogger } from "@coppice/kernel";

const file = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

export const cacheDir = file(".cache/components");
/** The first build of the component may take most of a minute. */
export const buildTimeoutMs = 180_000;

export function buildChatRoom(): Promise<string> {
  return buildJsComponent({
    source: file("packages/chat/guest/chat-room.js"),
    wit: file("wit/chat-room.wit"),
    world: "chat-room",
    cacheDir,
    logger: silentLogger,
  });
}

export async function compileChatRoom() {
  return compileComponent({ path: await buildChatRoom(), cacheDir, logger: silentLogger });
}
