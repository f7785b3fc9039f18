/**
 * Live views: pages whose state lives in a supervised process on the server, one for each connected browser.
 *
 * @module
 */
export {
  liveServer,
  type LiveServerOptions,
  messageBytesMax,
  PortInUseError,
} from "./live-server.ts";
export type { LiveNode, LiveView, ViewContext } from "./live-view.ts";
export { each, type Hole, html, List, Raw, raw, Template, TemplateError } from "./template.ts";
