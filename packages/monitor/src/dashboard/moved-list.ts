import type { Movement } from '@fairway/core';
import { type Html, html } from './html.ts';
import { percent } from './words.ts';

const MOST = 8;

/** What moved in a window, strongest first, with its part of all that moved. */
export function movedList(moved: readonly Movement[]): Html {
  if (moved.length === 0) return html`<p class="empty">Nothing moved by more than chance explains.</p>`;
  const rest = moved.length - MOST;
  return html`<ol>${moved.slice(0, MOST).map(({ kind, share, sentence }) => html`<li><strong>${kind}</strong> <span class="soft">${percent(share)}</span> ${sentence}</li>`)}</ol>${rest > 0 && html`<p class="soft small">and ${rest} more</p>`}`;
}
