import type { Change, VerdictState } from '@fairway/core';
import { type Html, html } from './html.ts';

/** A tone has a word, a shape and a colour: none of them stands alone. */
export type Tone = VerdictState | 'open';

const SHAPES: Readonly<Record<Tone, Html>> = {
  healthy: html`<circle cx="6" cy="6" r="5"/>`,
  warning: html`<path d="M6 .8 11.6 11H.4Z"/>`,
  alert: html`<path d="M6 .3 11.7 6 6 11.7.3 6Z"/>`,
  insufficient: html`<circle class="hollow" cx="6" cy="6" r="4.4"/>`,
  open: html`<path d="M2 .8 11.500 6 2 11.200Z"/>`,
};

export const badge = (tone: Tone, word: string): Html =>
  html`<span class="badge ${tone}"><svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">${SHAPES[tone]}</svg>${word}</span>`;

export const STATE_WORDS: Readonly<Record<VerdictState, string>> = {
  healthy: 'healthy',
  warning: 'warning',
  alert: 'alert',
  insufficient: 'not enough data',
};

export const verdictBadge = (state: VerdictState): Html => badge(state, STATE_WORDS[state]);

/** A change's phase as a tone: live is good, the unhappy ends are bad, everything between is under way. */
export function phaseTone({ phase }: Pick<Change, 'phase'>): Tone {
  if (phase === 'live') return 'healthy';
  if (phase === 'failed' || phase === 'rejected' || phase === 'rolled-back') return 'alert';
  return phase === 'superseded' ? 'insufficient' : 'open';
}

export const count = (value: number): string => value.toLocaleString('en-US');
export const figure = (value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : value.toFixed(3);
export const percent = (share: number): string => `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)}\u00a0%`;

/** A time for people, to the second or to the minute, with the exact one for machines. */
export const when = (time: string, to: 'second' | 'minute' = 'second'): Html =>
  html`<time class="nowrap" datetime="${time}">${time.slice(0, to === 'second' ? 19 : 16).replace('T', ' ')}</time>`;

/** `no models`, `one model`, `3 models`. */
export function plural(n: number, one: string, many = `${one}s`): string {
  if (n === 1) return `one ${one}`;
  return `${n === 0 ? 'no' : count(n)} ${many}`;
}

/** Share of labelled predictions as a number and a bar. */
export function coverage(labelled: number, predictions: number): Html {
  const share = predictions === 0 ? 0 : labelled / predictions;
  const width = Math.round(56 * Math.min(1, share));
  return html`<span class="meter"><svg width="56" height="8" aria-hidden="true"><rect class="track" width="56" height="8" rx="4"/><rect class="fill" width="${width}" height="8" rx="4"/></svg>${percent(share)}</span>`;
}

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
