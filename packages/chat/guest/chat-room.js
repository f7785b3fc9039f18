/**
 * The chat room, as a component: the world `chat-room` of `wit/chat-room.wit`.
 *
 * @module
 */
import { default as publishMessage } from "publish-message";

export function init() {
  return ["You joined the wasm component chat!"];
}

export function addMessage(message) {
  // Not a string, so not an `err` of the world's result: it traps, which is what the secret word is for.
  if (message === "WAT") throw new Error("You said the secret word aaaaaa!!!");
  publishMessage(message);
  publishMessage("And here is a message from a wasm component!!");
  return message;
}

export function messageAdded(message, state) {
  return [...state, message];
}
