/**
 * The page around a view, and the page for an error.
 *
 * @module
 */
import { escapeHtml } from "./template.ts";

/** What a page shows around its view. */
export interface PageChrome {
  readonly appTitle: string;
  readonly nodeName: string;
  /** Path and title of each view. */
  readonly links: readonly (readonly [path: string, title: string])[];
}

export function page(options: {
  readonly chrome: PageChrome;
  readonly path: string;
  readonly title: string;
  readonly token: string;
  /** HTML. */
  readonly body: string;
}): string {
  const { chrome, path, title, token, body } = options;
  const links = chrome.links
    .map(([to, text]) => {
      const current = to === path ? ' aria-current="page"' : "";
      return `<a href="${escapeHtml(to)}"${current}>${escapeHtml(text)}</a>`;
    })
    .join("");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} · ${escapeHtml(chrome.appTitle)}</title>
<link rel="stylesheet" href="/live/live.css">
<link rel="icon" href="data:,">
<script type="module" src="/live/client.ts"></script>
</head>
<body class="lv-loading">
<header>
<strong>${escapeHtml(chrome.appTitle)}</strong>
<nav>${links}</nav>
<span class="node">node ${escapeHtml(chrome.nodeName)}</span>
</header>
<div id="toasts" role="alert" aria-live="assertive"></div>
<main id="view" data-path="${escapeHtml(path)}" data-token="${escapeHtml(token)}">${body}</main>
</body>
</html>
`;
}
