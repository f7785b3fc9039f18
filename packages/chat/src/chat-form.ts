/**
 * The form both pages post with.
 *
 * @module
 */
import { html } from "coppice";
import { messageLengthMax } from "./topic.ts";

export function chatForm() {
  return html`<form lv-submit="post">
    <input
      name="message"
      aria-label="Message"
      placeholder="Say something"
      autocomplete="off"
      maxlength="${messageLengthMax}"
      required
    />
    <button>Add</button>
  </form>`;
}
