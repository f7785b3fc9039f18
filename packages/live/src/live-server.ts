/**
 * The web server of a node: pages, the client's files, and the sockets of live views, as one supervised process.
 *
 * @module
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  type Behaviour,
  CoppiceError,
  errorData,
  type Incoming,
  randomId,
  type Self,
  shutdown,
} from "@coppice/kernel";
import type { ChildSpec } from "@coppice/otp";
import { WebSocketServer } from "ws";
import { type Asset, loadAssets } from "./assets.ts";
import { toHtml } from "./client/tree.ts";
import type { LiveNode, LiveView } from "./live-view.ts";
import { page, type PageChrome } from "./page.ts";
import { buildTree, type UsedStatics } from "./render.ts";
import { serveSocket } from "./socket.ts";
import { escapeHtml } from "./template.ts";
import { signToken, verifyToken } from "./token.ts";

/** The port is taken by another program. */
export class PortInUseError extends CoppiceError {
  static {
    this.prototype.name = "PortInUseError";
  }
  readonly code = "port_in_use";
  readonly port: number;

  constructor(host: string, port: number, options?: ErrorOptions) {
    super(
      `port ${port} of ${host} is in use: choose another, or end the program that has it`,
      options,
    );
    this.port = port;
  }
}

/** What to serve, and where. */
export interface LiveServerOptions {
  readonly node: LiveNode;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** 0: a free one. */
  readonly port: number;
  /** Views by path. */
  readonly views: Readonly<Record<string, LiveView<any>>>;
  /** Where `/` leads. */
  readonly home: string;
  readonly appTitle: string;
  /** Signs what browsers bring back. The same on every node, so that a page survives the node it came from. */
  readonly secret: string;
  /** Told once it listens. */
  readonly onListening?: (url: string) => void;
}

/** The largest message a browser may send, in bytes. */
export const messageBytesMax = 64 * 1024;
const sessionCookie = "coppice_session";

/** The server as a child of a supervisor. Its views end with it. */
export function liveServer(options: LiveServerOptions & { readonly id: string }): ChildSpec {
  return {
    id: options.id,
    start: (spawnOptions, { kernel }) =>
      kernel.start(new LiveServer(options), { ...spawnOptions, kind: "live-server" }),
  };
}

class LiveServer implements Behaviour {
  readonly #options: LiveServerOptions;
  readonly #chrome: PageChrome;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: messageBytesMax,
  });
  #assets: ReadonlyMap<string, Asset> = new Map();
  #server: Server | undefined;
  #url = "";

  constructor(options: LiveServerOptions) {
    this.#options = options;
    const links = Object.entries(options.views).map(([path, view]) => [path, view.title] as const);
    this.#chrome = { appTitle: options.appTitle, nodeName: options.node.name, links };
  }

  async start(self: Self): Promise<void> {
    const { host = "127.0.0.1", port } = this.#options;
    this.#assets = await loadAssets();
    const server = createServer((request, response) => void this.#answer(request, response));
    this.#server = server;
    server.on("upgrade", (request, socket, head) => {
      if (!this.#mayUpgrade(request)) {
        socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
        return;
      }
      this.#sockets.handleUpgrade(request, socket, head, (webSocket) =>
        serveSocket({
          socket: webSocket,
          node: this.#options.node,
          parent: self.pid,
          viewOf: (path) => this.#viewOf(path),
          isValid: (path, token) => this.#isValid(path, sessionOf(request) ?? "", token),
        }),
      );
    });
    await listen(server, host, port);
    this.#url = `http://${host}:${(server.address() as AddressInfo).port}`;
    this.#options.onListening?.(this.#url);
  }

  handle(message: Incoming): void {
    if (message.type === "call") message.reply({ ok: true, value: this.#url });
  }

  ended(): void {
    for (const socket of this.#sockets.clients) socket.close(1001, "the server ends");
    this.#sockets.close();
    this.#server?.close();
    this.#server?.closeAllConnections();
    const { kernel } = this.#options.node;
    for (const { pid, kind } of kernel.processes())
      if (kind === "live-view") kernel.exit(pid, shutdown);
  }

  describe(): Readonly<Record<string, unknown>> {
    return { url: this.#url, browsers: this.#sockets.clients.size };
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    try {
      if (request.method !== "GET" && request.method !== "HEAD")
        return sendText(response, 405, "only GET is answered here");
      const asset = this.#assets.get(pathname);
      if (asset !== undefined) return send(response, 200, asset.type, asset.body);
      if (pathname === "/livez") return sendText(response, 200, "ok");
      if (pathname === "/")
        return void response.writeHead(302, { location: this.#options.home }).end();
      const view = this.#viewOf(pathname);
      if (view === undefined) return sendText(response, 404, `there is no page ${pathname}`);
      await this.#sendPage(request, response, pathname, view);
    } catch (thrown) {
      // Nobody to throw to: the listener's promise is not awaited.
      const { message } = errorData(thrown);
      this.#options.node.logger.error(
        { event: "request_failed", pathname, error: message },
        message,
      );
      response.destroy();
    }
  }

  async #sendPage(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    view: LiveView<unknown>,
  ): Promise<void> {
    const { node, secret } = this.#options;
    const session = sessionOf(request) ?? randomId(node.random) + randomId(node.random);
    const token = signToken(secret, path, session, node.clock.wall());
    const { status, body } = await this.#firstRendering(path, view);
    const html = page({ chrome: this.#chrome, path, title: view.title, token, body });
    response.setHeader("set-cookie", `${sessionCookie}=${session}; Path=/; HttpOnly; SameSite=Lax`);
    send(response, status, "text/html; charset=utf-8", html);
  }

  /** A view that fails here is a page that says so, and whose client tries again. */
  async #firstRendering(
    path: string,
    view: LiveView<unknown>,
  ): Promise<{ readonly status: number; readonly body: string }> {
    try {
      const state = await view.mount({ connected: false, pid: undefined, subscribe: () => {} });
      const used: UsedStatics = new Map();
      const tree = buildTree(view.render(state), used);
      return { status: 200, body: toHtml(tree, Object.fromEntries(used)) };
    } catch (thrown) {
      const { message } = errorData(thrown);
      this.#options.node.logger.error(
        { event: "mount_failed", path, error: message },
        `${path} could not be rendered: ${message}`,
      );
      const text = "This page is not available right now. It comes back by itself.";
      return { status: 500, body: `<p class="notice">${escapeHtml(text)}</p>` };
    }
  }

  #viewOf(path: string): LiveView<unknown> | undefined {
    const { views } = this.#options;
    return Object.hasOwn(views, path) ? views[path] : undefined;
  }

  #isValid(path: string, session: string, token: string): boolean {
    const { secret, node } = this.#options;
    return verifyToken(secret, path, session, node.clock.wall(), token);
  }

  /** Only pages of this site may open a socket: a browser sends the cookie from any. */
  #mayUpgrade({ url, headers }: IncomingMessage): boolean {
    if (url !== "/live/socket" || headers.origin === undefined) return false;
    return URL.canParse(headers.origin) && new URL(headers.origin).host === headers.host;
  }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", (cause: NodeJS.ErrnoException) => {
    reject(cause.code === "EADDRINUSE" ? new PortInUseError(host, port, { cause }) : cause);
  });
  server.listen(port, host, resolve);
  return promise;
}

function sessionOf({ headers }: IncomingMessage): string | undefined {
  const cookies = (headers.cookie ?? "").split("; ").map((each) => each.split("="));
  return cookies.find(([name]) => name === sessionCookie)?.[1];
}

const securityHeaders = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "same-origin",
  "cache-control": "no-store",
} as const;

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { ...securityHeaders, "content-type": type }).end(body);
}

function sendText(response: ServerResponse, status: number, text: string): void {
  send(response, status, "text/plain; charset=utf-8", `${text}\n`);
}
