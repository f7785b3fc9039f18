/**
 * The chat: what each node of the demo supervises.
 *
 * @module
 */
import {
  type AppContext,
  component,
  liveServer,
  supervisor,
  type SupervisorOptions,
} from "coppice";
import { chatView } from "./chat-view.ts";
import { Stack } from "./stack.ts";
import { topic } from "./topic.ts";
import { wasmChatView } from "./wasm-chat-view.ts";

/** Settings: `port`, `component` (its file), `cacheDir`, `secret` (the same on every node). */
export default function chat({ node, settings, announce }: AppContext): SupervisorOptions {
  const room = component({
    id: "chat-room",
    name: "chat-room",
    path: setting(settings, "component"),
    cacheDir: setting(settings, "cacheDir"),
    imports: {
      "publish-message": (message: string) => {
        node.pubsub.broadcast(topic, message);
        return `${message} published`;
      },
    },
    limits: { memoryBytes: 64 << 20 },
  });
  const web = liveServer({
    id: "web",
    node,
    port: Number(setting(settings, "port")),
    views: { "/chat": chatView(node), "/wasm-chat": wasmChatView(node) },
    home: "/wasm-chat",
    appTitle: "Coppice chat",
    secret: setting(settings, "secret"),
    onListening: (url) => announce({ event: "listening", url }),
  });
  return {
    strategy: "one_for_one",
    children: [
      { id: "stack", name: "stack", start: [Stack] },
      supervisor({ id: "rooms", strategy: "one_for_one", children: [room] }),
      web,
    ],
  };
}

function setting(settings: AppContext["settings"], name: string): string {
  const value = settings[name];
  if (value === undefined) throw new Error(`the chat needs --set ${name}=...`);
  return value;
}
