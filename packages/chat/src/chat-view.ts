/**
 * The plain chat page: newest first, without the component.
 *
 * @module
 */
import { type ClusterNode, each, html, type LiveView } from "coppice";
import { chatForm } from "./chat-form.ts";
import { linesMax, messageOf, topic } from "./topic.ts";

interface Line {
  readonly id: number;
  readonly text: string;
}

export function chatView(node: ClusterNode): LiveView<readonly Line[]> {
  return {
    title: "Chat",
    mount: ({ subscribe }) => {
      subscribe(topic);
      return [];
    },
    events: {
      post: (lines, value) => {
        node.pubsub.broadcast(topic, messageOf(value));
        return lines;
      },
    },
    handleInfo: (lines, message) => {
      const id = (lines[0]?.id ?? 0) + 1;
      return [{ id, text: String(message) }, ...lines].slice(0, linesMax);
    },
    render: (lines) => html`
      <h1>Chat</h1>
      ${chatForm()}
      <ul>
        ${each(
          lines,
          ({ id }) => id,
          ({ text }) => html`<li>${text}</li>`,
        )}
      </ul>
    `,
  };
}
