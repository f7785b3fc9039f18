/**
 * The browser's half of a live view: events out, patches in, and coming back after a crash or a lost connection.
 *
 * @module
 */
import morphdom from "morphdom";
import { applyPatch, type Patch, toHtml, type Tree } from "./tree.ts";

interface FromServer {
  readonly s?: Record<string, string[]>;
  readonly r?: Patch;
  readonly ack?: number;
  readonly crash?: true;
}

/** Waits between two tries to connect, in milliseconds; the last one goes on. */
const backoffMs = [10, 50, 100, 150, 200, 250, 500, 1000, 2000, 5000];
/** How long a crash stays on the screen at least, in milliseconds. */
const toastMs = 3000;
const heartbeatMs = 30_000;

const root = document.getElementById("view")!;
const toasts = document.getElementById("toasts")!;
let socket: WebSocket | undefined;
let tree: Tree | undefined;
let statics: Record<string, string[]> = {};
let tries = 0;
let events = 0;
let crashed = false;
const formsToReset = new Map<number, HTMLFormElement>();

function connect(): void {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  socket = new WebSocket(`${scheme}://${location.host}/live/socket`);
  tree = undefined;
  statics = {};
  socket.onopen = () =>
    send({ type: "join", path: root.dataset["path"], token: root.dataset["token"] });
  socket.onmessage = ({ data }) => receive(JSON.parse(data as string) as FromServer);
  socket.onclose = ({ code }) => {
    setState("lv-error");
    if (code === 4001) return location.reload(); // The page's token is not valid any more.
    if (!crashed) toast("offline", "We can't find the internet", "Attempting to reconnect");
    crashed = false;
    setTimeout(connect, backoffMs[Math.min(tries, backoffMs.length - 1)]);
    tries += 1;
  };
}

function send(message: unknown): void {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

function receive(message: FromServer): void {
  if (message.crash === true) {
    crashed = true;
    toast("crash", "Something went wrong!", "Hang in there while we get back on track");
    return;
  }
  Object.assign(statics, message.s);
  if (message.r !== undefined) {
    tree = applyPatch(tree, message.r);
    show(toHtml(tree, statics));
  }
  if (message.ack !== undefined) {
    formsToReset.get(message.ack)?.reset();
    formsToReset.delete(message.ack);
  }
  if (!document.body.classList.contains("lv-connected")) {
    tries = 0;
    formsToReset.clear();
    setState("lv-connected");
    dismiss("offline", 0);
    dismiss("crash", toastMs);
  }
}

function show(html: string): void {
  const next = root.cloneNode(false) as HTMLElement;
  next.innerHTML = html;
  morphdom(root, next, {
    childrenOnly: true,
    onBeforeElUpdated: (from, to) => {
      // What somebody is typing is theirs.
      if (from === document.activeElement && "value" in from && "value" in to)
        to.value = from.value;
      return !from.isEqualNode(to);
    },
  });
}

function setState(name: string): void {
  document.body.classList.remove("lv-loading", "lv-connected", "lv-error");
  document.body.classList.add(name);
}

function toast(kind: string, title: string, text: string): void {
  if (toasts.querySelector(`.${kind}`) !== null) return;
  const element = document.createElement("div");
  element.className = `toast ${kind}`;
  element.append(
    Object.assign(document.createElement("strong"), { textContent: title }),
    Object.assign(document.createElement("span"), { textContent: text }),
  );
  toasts.append(element);
}

function dismiss(kind: string, afterMs: number): void {
  const element = toasts.querySelector(`.${kind}`);
  if (element !== null) setTimeout(() => element.remove(), afterMs);
}

function emit(name: string, value: Record<string, string>): number {
  events += 1;
  send({ type: "event", id: events, name, value });
  return events;
}

document.addEventListener("submit", (event) => {
  const form = event.target as HTMLFormElement;
  const name = form.getAttribute("lv-submit");
  if (name === null) return;
  event.preventDefault();
  const value: Record<string, string> = {};
  for (const [field, content] of new FormData(form))
    if (typeof content === "string") value[field] = content;
  formsToReset.set(emit(name, value), form);
});

document.addEventListener("click", (event) => {
  const element = (event.target as Element).closest("[lv-click]");
  if (element === null) return;
  const value: Record<string, string> = {};
  for (const { name, value: content } of element.attributes)
    if (name.startsWith("lv-value-")) value[name.slice("lv-value-".length)] = content;
  emit(element.getAttribute("lv-click")!, value);
});

setInterval(() => send({ type: "ping" }), heartbeatMs);
connect();
