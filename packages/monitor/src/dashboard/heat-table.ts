import type { Verdict } from '@fairway/core';
import { type Html, html } from './html.ts';
import { figure } from './words.ts';

/** The limits that SAS documents for its deviation index, and practice uses for PSI. */
const LEVELS = [
  { from: 0.25, style: 'h3', mark: '▲▲' },
  { from: 0.1, style: 'h2', mark: '▲' },
  { from: 0.05, style: 'h1', mark: '' },
] as const;

/** PSI of each input in each window, what moved most first: number, mark and shade say the same. */
export function heatTable(verdicts: readonly Verdict[]): Html {
  const variables = [...new Set(verdicts.flatMap(({ metrics }) => Object.keys(metrics.psi)))];
  const largest = (variable: string) => Math.max(...verdicts.map(({ metrics }) => metrics.psi[variable] ?? 0));
  if (variables.length === 0) return html`<p class="empty">No window has been compared with a baseline yet.</p>`;
  return html`<table class="heat"><caption>Population stability index against the training data, missing values left out. ▲ from 0.10: moved; ▲▲ from 0.25: moved far.</caption>
<thead><tr><th scope="col">Input</th>${verdicts.map(({ window }) => html`<th scope="col">${window.period}<br>version ${window.version}</th>`)}</tr></thead>
<tbody>${variables.sort((a, b) => largest(b) - largest(a)).map((variable) => html`<tr><th scope="row">${variable}</th>${verdicts.map(({ metrics }) => cell(metrics.psi[variable] ?? null))}</tr>`)}</tbody></table>`;
}

function cell(value: number | null): Html {
  const level = value === null ? undefined : LEVELS.find(({ from }) => value >= from);
  return html`<td class="${level?.style ?? ''}">${level?.mark} ${figure(value)}</td>`;
}
