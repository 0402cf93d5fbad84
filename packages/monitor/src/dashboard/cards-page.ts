import type { Notification, NotificationState } from '../ports/notify.ts';
import { externalLink, type Html, html } from './html.ts';
import { badge, type Tone, when } from './words.ts';

export type Card = Notification & { readonly from: 'monitor' | 'writer' };

const TONES: Readonly<Record<NotificationState, Tone>> = {
  accepted: 'healthy',
  pending: 'open',
  dead: 'alert',
};
const WORDS: Readonly<Record<NotificationState, string>> = {
  accepted: 'accepted',
  pending: 'not accepted yet',
  dead: 'given up',
};

/** The last cards of both services, newest first. */
export function renderCards(cards: readonly Card[]): Html {
  return html`<h1>Cards</h1><p class="lead">What people were told. "Accepted" means that the channel took the message; whether it was posted or read, no channel says. What was given up can be sent again: <code>fairway notifications resend</code>.</p>
<div class="panel" role="region" tabindex="0" aria-label="Cards">${
    cards.length === 0
      ? html`<p class="empty">No card yet.</p>`
      : html`<table><thead><tr><th scope="col">Card</th><th scope="col">Event</th><th scope="col">Channel</th><th scope="col">Sent by</th><th scope="col">State</th><th scope="col">Time</th><th scope="col">Delivery id</th></tr></thead><tbody>${cards.map(row)}</tbody></table>`
  }</div>`;
}

const row = ({ title, event, channel, from, state, reason, at, deliveryId, link }: Card): Html =>
  html`<tr><th scope="row">${externalLink(link, title)}</th><td>${event}</td><td>${channel}</td><td>${from}</td><td>${badge(TONES[state], WORDS[state])}${state === 'accepted' || reason === undefined ? '' : html`<br><span class="soft">${reason}</span>`}</td><td>${when(at)}</td><td><code class="soft nowrap">${deliveryId}</code></td></tr>`;
