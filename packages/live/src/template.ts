/**
 * Templates: `html` with holes, lists with keys. Every hole is escaped unless it is marked as HTML.
 *
 * @module
 */
import { CoppiceError } from "@coppice/kernel";

/** A template that could inject HTML or script, found when it is first rendered. */
export class TemplateError extends CoppiceError {
  static {
    this.prototype.name = "TemplateError";
  }
  readonly code = "bad_template";
}

/** What may stand in a hole. `null`, `undefined` and `false` render as nothing. */
export type Hole = string | number | bigint | boolean | null | undefined | Template | List | Raw;

/** A template with its values. Made by {@link html}. */
export class Template {
  readonly statics: TemplateStringsArray;
  readonly holes: readonly Hole[];
  constructor(statics: TemplateStringsArray, holes: readonly Hole[]) {
    this.statics = statics;
    this.holes = holes;
  }
}

/** A list of rows that keep their identity by key. Made by {@link each}. */
export class List {
  readonly rows: readonly (readonly [key: string, template: Template])[];
  constructor(rows: readonly (readonly [key: string, template: Template])[]) {
    this.rows = rows;
  }
}

/** Text that is HTML already. Made by {@link raw}. */
export class Raw {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const checked = new WeakSet<TemplateStringsArray>();

/** @throws {TemplateError} if a hole stands where escaping cannot make it safe. */
export function html(statics: TemplateStringsArray, ...holes: readonly Hole[]): Template {
  if (!checked.has(statics)) {
    assertSafe(statics);
    checked.add(statics);
  }
  return new Template(statics, holes);
}

/** One row for each item. Keys are unique within the list; the rows of a list share one template. */
export function each<T>(
  items: Iterable<T>,
  key: (item: T, index: number) => string | number,
  render: (item: T, index: number) => Template,
): List {
  const rows = Array.from(
    items,
    (item, index) => [String(key(item, index)), render(item, index)] as const,
  );
  return new List(rows);
}

/** Puts `text` into the page as it is. Never with what a user wrote. */
export function raw(text: string): Raw {
  return new Raw(text);
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character]!);
}

/** Where a hole stands, told by the text before it. */
const forbidden: readonly (readonly [RegExp, string])[] = [
  [/<(?:script|style)\b[^>]*>(?:(?!<\/(?:script|style)).)*$/is, "inside <script> or <style>"],
  [/<!--(?:(?!-->).)*$/s, "inside a comment"],
  [/<\/?[\w-]*$/, "in the name of a tag"],
  [/<[^>]*\son[\w-]*\s*=\s*["']?[^"'>]*$/i, "in an event attribute"],
  [/<[a-z][^>"']*(?:(?:"[^"]*"|'[^']*')[^>"']*)*=\s*$/i, "in an attribute without quotes"],
  [/<[a-z][^>"']*(?:(?:"[^"]*"|'[^']*')[^>"']*)*\s[\w-]*$/i, "in the name of an attribute"],
  [/\s(?:href|src|action|formaction)\s*=\s*["']\s*$/i, "at the start of a URL"],
];

function assertSafe(statics: readonly string[]): void {
  let before = "";
  for (const part of statics.slice(0, -1)) {
    before += part;
    const found = forbidden.find(([pattern]) => pattern.test(before));
    if (found !== undefined)
      throw new TemplateError(
        `a hole stands ${found[1]}, after ${JSON.stringify(before.slice(-40))}: escaping cannot make it safe there`,
      );
    before += "x";
  }
}
