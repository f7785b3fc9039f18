import { each, html, raw, type Template, TemplateError } from "@coppice/live";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { applyPatch, toHtml, type Tree } from "../src/client/tree.ts";
import { buildTree, diff, type UsedStatics } from "../src/render.ts";

function build(template: Template): { tree: Tree; statics: UsedStatics } {
  const statics: UsedStatics = new Map();
  return { tree: buildTree(template, statics), statics };
}

function print(template: Template): string {
  const { tree, statics } = build(template);
  return toHtml(tree, Object.fromEntries(statics));
}

describe("escaping", () => {
  test.for([
    "<img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "' onmouseover='alert(1)",
    "</script><script>alert(1)</script>",
    "&lt;b&gt;",
  ])("%s cannot leave its hole", (text) => {
    const printed = print(html`<p title="${text}">${text}</p>`);
    const escaped = printed.slice('<p title="'.length, printed.indexOf('">'));
    expect(escaped).not.toMatch(/[<>"']/);
    expect(printed).toBe(`<p title="${escaped}">${escaped}</p>`);
    expect(printed).not.toContain("<img");
    expect(printed).not.toContain("<script");
  });

  test("what is marked as HTML stays as it is, and nothing is nothing", () => {
    expect(print(html`<p>${raw("<b>x</b>")}${null}${undefined}${false}${0}</p>`)).toBe(
      "<p><b>x</b>0</p>",
    );
  });
});

describe("holes where escaping cannot help are refused", () => {
  const hole = "x";
  test.for([
    [
      "a script",
      () =>
        html`<script>
          ${hole};
        </script>`,
    ],
    [
      "a style",
      () =>
        html`<style>
          a{${hole}}
        </style>`,
    ],
    ["a comment", () => html`<!-- ${hole} -->`],
    ["a tag name", () => html`<${hole}>`],
    ["an event attribute", () => html`<p onclick="${hole}">`],
    ["an unquoted attribute", () => html`<p class=${hole}>`],
    ["an attribute name", () => html`<p ${hole}>`],
    ["a URL", () => html`<a href="${hole}">`],
  ] as const)("in %s", ([, make]) => {
    expect(make).toThrow(TemplateError);
  });

  test("others are fine", () => {
    expect(print(html`<p class="a ${hole}" data-x="${hole}">${hole} < ${hole}</p>`)).toBe(
      '<p class="a x" data-x="x">x < x</p>',
    );
    expect(print(html`<a href="/rooms/${hole}">a > b ${hole}</a>`)).toContain("/rooms/x");
  });
});

describe("patches", () => {
  const row = fc.record({ key: fc.integer({ min: 0, max: 9 }), text: fc.string({ maxLength: 3 }) });
  const state = fc.record({
    title: fc.string({ maxLength: 3 }),
    rows: fc.uniqueArray(row, { selector: ({ key }) => key }),
    open: fc.boolean(),
  });
  const view = ({
    title,
    rows,
    open,
  }: {
    title: string;
    rows: { key: number; text: string }[];
    open: boolean;
  }) =>
    html`<h1>${title}</h1>
      ${each(
        rows,
        ({ key }) => key,
        ({ text }) => html`<li>${text}${open ? html`<b>${text}</b>` : null}</li>`,
      )}
      ${open ? html`<p>${title}</p>` : html`<i>${rows.length}</i>`}`;

  test("a patched tree shows what the new one shows", () => {
    fc.assert(
      fc.property(state, state, (before, after) => {
        const old = build(view(before));
        const next = build(view(after));
        const statics = Object.fromEntries([...old.statics, ...next.statics]);
        const patch = diff(old.tree, next.tree);
        const shown = patch === undefined ? old.tree : applyPatch(old.tree, patch);
        expect(toHtml(shown, statics)).toBe(toHtml(next.tree, statics));
      }),
    );
  });

  test("an appended row is all that is sent", () => {
    const of = (...texts: string[]) =>
      build(
        html`<ul>
          ${each(
            texts,
            (text) => text,
            (text) => html`<li>${text}</li>`,
          )}
        </ul>`,
      ).tree;
    expect(diff(of("a", "b"), of("a", "b", "c"))).toEqual({
      p: { 0: { n: { c: ["c"] }, a: ["c"] } },
    });
    expect(diff(of("a"), of("a"))).toBeUndefined();
  });
});
