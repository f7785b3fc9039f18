/**
 * The log: JSON lines on stderr, one event a line.
 *
 * @module
 */
import type { Logger } from "@coppice/kernel";
import { destination, pino } from "pino";

/** `LOG_LEVEL` chooses what is shown: debug, info (the default), warn, error. */
export function createLogger(node: string): Logger {
  const level = process.env["LOG_LEVEL"] ?? "info";
  const options = { base: { node }, level, messageKey: "message" };
  return pino(options, destination({ dest: 2, sync: true }));
}
