import { type Change, END_PHASES, phaseWord } from '@fairway/core';
import type { UnsentRetrain } from '../ports.ts';
import { externalLink, type Html, html } from './html.ts';
import { badge, capital, phaseTone, plural, type Tone, when } from './words.ts';

/** Every change and its pull request, newest first; then the retrain requests that became none, with the reason. */
export function renderChanges(changes: readonly Change[], unsent: readonly UnsentRetrain[]): Html {
  const open = changes.filter(({ phase }) => !END_PHASES.includes(phase)).length;
  return html`<h1>Changes</h1><p class="lead">Whatever reaches production is a change: an approval or an alert in, one pull request out. ${capital(plural(open, 'change is', 'changes are'))} under way.</p>
<div class="panel" role="region" tabindex="0" aria-label="Changes">${
    changes.length === 0
      ? html`<p class="empty">No change yet.</p>`
      : html`<table><thead><tr><th scope="col">Change</th><th scope="col">Model</th><th scope="col">Environment</th><th scope="col">Pull request</th><th scope="col">Phase</th><th scope="col">How it went</th><th scope="col">Asked for by</th></tr></thead><tbody>${changes.map(row)}</tbody></table>`
  }</div>
${unsent.length > 0 && html`<h2 id="unsent">Retrain requests that are no change</h2><div class="panel"><table aria-labelledby="unsent"><thead><tr><th scope="col">Request</th><th scope="col">State</th><th scope="col">Why</th><th scope="col">Since</th></tr></thead><tbody>${unsent.map(unsentRow)}</tbody></table></div>`}`;
}

const UNSENT: Readonly<Record<UnsentRetrain['state'], readonly [Tone, string]>> = {
  pending: ['open', 'on its way'],
  held: ['insufficient', 'not asked for'],
  dead: ['alert', 'refused'],
};

const unsentRow = ({ title, state, reason, at }: UnsentRetrain): Html =>
  html`<tr><th scope="row">${title}</th><td>${badge(...UNSENT[state])}</td><td>${reason ?? ''}</td><td>${when(at)}</td></tr>`;

function row(change: Change): Html {
  const { pullRequest } = change;
  return html`<tr><th scope="row">${change.kind}<br><code class="soft">${change.id.slice(0, 10)}</code></th>
<td class="nowrap"><a href="/models/${encodeURIComponent(change.model)}">${change.model}</a><br><span class="soft">version ${change.version}</span></td><td>${change.environment}</td>
<td>${pullRequest === undefined ? html`<span class="soft">${END_PHASES.includes(change.phase) ? 'none' : 'not yet'}</span>` : html`${externalLink(pullRequest.url, `#${pullRequest.number}`)} <span class="soft">${pullRequest.state}</span>`}</td>
<td>${badge(phaseTone(change), phaseWord(change, change.phase))}</td>
<td><span class="small soft">${when(change.createdAt)} to ${when(change.updatedAt)}</span><ol class="phases">${change.history.map(({ phase }) => html`<li>${phaseWord(change, phase)}</li>`)}</ol>${change.reason !== undefined && html`<span class="small">${change.reason}</span>`}</td>
<td>${change.actor}</td></tr>`;
}
