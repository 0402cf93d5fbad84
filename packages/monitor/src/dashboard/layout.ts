import type { Activity } from '../ports.ts';
import { type Html, html } from './html.ts';
import { STYLE } from './style.ts';

/** What makes a page renew itself. */
export type Reason = Activity | 'change';

const REASONS: Readonly<Record<Reason, string>> = {
  change: 'A change is under way',
  telling: 'A message or a retrain request is on its way',
  counting: 'Predictions or labels came within the last minute',
  judged: 'A window was judged within the last minute',
};

export type Page = {
  readonly title: string;
  readonly current: 'models' | 'changes' | 'cards' | undefined;
  /** Sentences on what could not be shown. */
  readonly problems: readonly string[];
  /** Why the page is soon out of date, so that it comes back in a few seconds, and the address that does not. */
  readonly refresh: { readonly why: Reason; readonly stop: string } | undefined;
  readonly body: Html;
};

const REFRESH_SECONDS = 5;
const PLACES = [
  ['models', '/', 'Models'],
  ['changes', '/changes', 'Changes'],
  ['cards', '/cards', 'Cards'],
] as const;

/** A whole page: complete without JavaScript, one file, no requests of its own. */
export function renderPage({ title, current, problems, refresh, body }: Page): string {
  const links = PLACES.map(
    ([key, path, word]) =>
      html`<li><a href="${path}"${key === current ? html` aria-current="page"` : ''}>${word}</a></li>`,
  );
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${title} · Fairway</title><link rel="icon" href="data:,">
${refresh !== undefined && html`<meta http-equiv="refresh" content="${REFRESH_SECONDS}">`}
<style>${{ html: STYLE }}</style></head>
<body><a class="skip" href="#content">Skip to content</a>
<header><div><a class="brand" href="/"><svg width="26" height="26" viewBox="0 0 26 26" aria-hidden="true"><path d="M3 21c7 2 13 2 20 0M6 17c4-1.500 6-7 6-14 5 1.500 8 6 8.500 12M12 17h9"/></svg>Fairway</a>
<nav aria-label="Main"><ul>${links}</ul></nav></div></header>
<main id="content">${problems.map((problem) => html`<p class="note" role="status">${problem}</p>`)}${body}</main>
<footer><p>All times UTC. ${refresh !== undefined && html`${REASONS[refresh.why]}: this page renews itself every ${REFRESH_SECONDS} seconds. <a href="${refresh.stop}">Stop that</a>.`}</p></footer>
</body></html>`;
  return page.html;
}
