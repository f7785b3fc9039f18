/**
 * The chat page of the component: it says what a visitor sees first, what is said, and what is shown after.
 *
 * @module
 */
import { CallError, type ClusterNode, each, html, type LiveView } from "coppice";
import { chatForm } from "./chat-form.ts";
import { linesMax, messageOf, topic } from "./topic.ts";

interface State {
  readonly lines: readonly string[];
  /** What the visitor should know about the last post. */
  readonly notice: string | undefined;
}

/** How often a function without effects is asked again when its node or process went away under it. */
const triesMax = 10;

export function wasmChatView(node: ClusterNode): LiveView<State> {
  const room = node.ref("chat-room");
  /** For functions that change nothing: asking twice does no harm. */
  const ask = async (method: string, args: unknown[]): Promise<readonly string[]> => {
    for (let tries = 1; ; tries += 1) {
      try {
        return (await room.call(method, args)) as readonly string[];
      } catch (thrown) {
        if (!(thrown instanceof CallError) || thrown.executed !== "maybe" || tries === triesMax)
          throw thrown;
      }
    }
  };
  return {
    title: "Wasm chat",
    mount: async ({ subscribe }) => {
      subscribe(topic);
      return { lines: await ask("init", []), notice: undefined };
    },
    events: {
      post: async (state, value) => {
        try {
          await room.call("add-message", [messageOf(value)]);
          return { ...state, notice: undefined };
        } catch (thrown) {
          if (!isUnreachable(thrown)) throw thrown; // The room crashed on it: so does this page.
          const notice =
            "The room moved while your message was on its way: it may not have been said.";
          return { ...state, notice };
        }
      },
    },
    handleInfo: async (state, message) => {
      const lines = await ask("message-added", [String(message), state.lines]);
      return { ...state, lines: lines.slice(-linesMax) };
    },
    render: ({ lines, notice }) => html`
      <h1>Chat</h1>
      <ul>
        ${each(
          lines,
          (_, index) => index,
          (line) => html`<li>${line}</li>`,
        )}
      </ul>
      ${chatForm()} ${notice === undefined ? null : html`<p class="notice">${notice}</p>`}
      <p class="hint">The lines come from a WebAssembly component. It cannot stand the word WAT.</p>
    `,
  };
}

function isUnreachable(thrown: unknown): boolean {
  return (
    thrown instanceof CallError && (thrown.code === "noconnection" || thrown.code === "timeout")
  );
}
