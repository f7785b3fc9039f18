/**
 * The composition root: configuration and wiring of a node, and the command line around it.
 *
 * @module
 */
export type { AppContext, Application } from "./application.ts";
export { ensureNatsServer, installPackage } from "./demo/install.ts";
export { type StartOptions, startNode } from "./start-node.ts";
