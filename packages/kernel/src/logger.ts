/**
 * Where structured log lines go. The composition root brings pino; tests bring a recorder.
 *
 * @module
 */

/** The fields of one line: plain data with stable keys. */
export type LogFields = Readonly<Record<string, unknown>>;

/** A sink of log lines, one event a line. The shape of pino's own methods, so a pino logger fits as it is. */
export interface Logger {
  readonly debug: (fields: LogFields, message: string) => void;
  readonly info: (fields: LogFields, message: string) => void;
  readonly warn: (fields: LogFields, message: string) => void;
  readonly error: (fields: LogFields, message: string) => void;
}

/** Drops every line. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
};
