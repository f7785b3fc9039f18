/**
 * What both pages share: the topic their messages travel on, and how a message is posted.
 *
 * @module
 */

/** Every post of either page, as text. */
export const topic = "chat";

/** The longest message, in characters. */
export const messageLengthMax = 500;

/** Messages a page keeps; older ones leave it. */
export const linesMax = 200;

/** The message of a form, cut to its limit. */
export function messageOf(value: Readonly<Record<string, string>>): string {
  return (value["message"] ?? "").slice(0, messageLengthMax);
}
