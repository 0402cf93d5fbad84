import { type Change, END_PHASES, phaseWord, type Verdict } from '@fairway/core';
import { worstPsi } from '../app/announce.ts';
import type { Notification } from '../ports/notify.ts';
import type { ModelSummary } from '../ports.ts';
import { externalLink, type Html, html } from './html.ts';
import { capital, count, coverage, figure, percent, plural, STATE_WORDS, verdictBadge, when } from './words.ts';

export type HomeView = {
  readonly models: readonly ModelSummary[];
  readonly verdicts: readonly Verdict[];
  readonly changes: readonly Change[];
  readonly cards: readonly Notification[];
  readonly predictions: number;
  readonly labelled: number;
};

const EVENTS = 14;

/** The fleet: what is live where, how it does, and what happened last. */
export function renderHome(view: HomeView): Html {
  const rows = view.models.flatMap((model) => model.environments.map((environment) => ({ model, environment })));
  return html`<h1>Models</h1><p class="lead">${summary(view)}</p>
${loop(view)}
<h2 id="fleet">Where models serve</h2><div class="panel" role="region" tabindex="0" aria-labelledby="fleet">${
    rows.length === 0
      ? html`<p class="empty">No model is known yet. Approve one with <code>fairway approve</code>; it appears here as soon as its change exists.</p>`
      : html`<table aria-labelledby="fleet"><thead><tr><th scope="col">Model</th><th scope="col">Environment</th><th scope="col">Live version</th><th scope="col">Last verdict</th><th scope="col" class="number">Predictions</th><th scope="col" class="number">Labelled</th><th scope="col" class="number">AUC</th><th scope="col" class="number">KS</th><th scope="col" class="number">Worst PSI</th></tr></thead>
<tbody>${rows.map(({ model, environment }) => fleetRow(model, environment, view.verdicts))}</tbody></table>`
  }</div>
<h2 id="latest">What happened last</h2><div class="panel">${latest(view)}</div>`;
}

type Place = ModelSummary['environments'][number];

function fleetRow({ model }: ModelSummary, { name, live, merge }: Place, verdicts: readonly Verdict[]): Html {
  const verdict = verdicts.filter(({ window }) => window.model === model && window.environment === name).at(-1);
  const worst = verdict === undefined ? undefined : worstPsi(verdict.metrics.psi);
  const href = `/models/${encodeURIComponent(model)}?environment=${encodeURIComponent(name)}`;
  const figures =
    verdict === undefined
      ? html`<td class="soft" colspan="6">no window judged yet</td>`
      : html`<td>${verdictBadge(verdict.state)}<br><span class="soft small nowrap">${verdict.window.period}, version ${verdict.window.version}</span></td><td class="number">${count(verdict.metrics.predictions)}</td><td class="number">${coverage(verdict.metrics.labelled, verdict.metrics.predictions)}</td><td class="number">${figure(verdict.metrics.auc)}</td><td class="number">${figure(verdict.metrics.ks)}</td><td class="number">${worst === undefined ? '–' : html`${figure(worst[1])} <span class="soft">${worst[0]}</span>`}</td>`;
  return html`<tr><th scope="row" class="nowrap"><a href="${href}">${model}</a></th><td>${name}<br><span class="soft small nowrap">merge: ${merge}</span></td><td>${live === undefined ? html`<span class="soft">none</span>` : html`<strong>${live.version}</strong><br><span class="soft small nowrap">since ${when(live.since, 'minute')}</span>`}</td>${figures}</tr>`;
}

function summary({ models, verdicts, changes }: HomeView): string {
  const live = models
    .flatMap(({ environments }) => environments)
    .filter((environment) => environment.live !== undefined).length;
  const open = changes.filter(({ phase }) => !END_PHASES.includes(phase)).length;
  const newest = models.flatMap(({ model, environments }) =>
    environments.flatMap(({ name }) =>
      verdicts.filter(({ window }) => window.model === model && window.environment === name).slice(-1),
    ),
  );
  const unwell = newest.filter(({ state }) => state === 'alert' || state === 'warning');
  const health =
    newest.length === 0
      ? 'no window has been judged yet'
      : unwell.length === 0
        ? 'nothing alerts in the newest windows'
        : unwell
            .map(
              ({ window, state }) =>
                `${window.model} in ${window.environment}: ${STATE_WORDS[state]} in ${window.period}`,
            )
            .join('; ');
  return `${capital(plural(models.length, 'model'))}, live in ${plural(live, 'environment')}; ${plural(open, 'change')} under way; ${health}.`;
}

/** A deploy that was live once, whatever came after. */
const wentLive = ({ kind, history }: Change): boolean =>
  kind === 'deploy' && history.some(({ phase }) => phase === 'live');

/** The loop as six numbers, in the order a model travels. */
function loop({ changes, models, verdicts, predictions, labelled }: HomeView): Html {
  const kind = (wanted: Change['kind']) => changes.filter((change) => change.kind === wanted).length;
  const live = models
    .flatMap(({ environments }) => environments)
    .filter((environment) => environment.live !== undefined).length;
  const alerts = verdicts.filter(({ state }) => state === 'alert').length;
  const steps: Array<[string, string]> = [
    [count(kind('deploy')), 'approved versions, each a pull request'],
    [count(changes.filter(wentLive).length), 'deploys proven live'],
    [count(live), live === 1 ? 'environment serving' : 'environments serving'],
    [
      count(predictions),
      `predictions stored, ${predictions === 0 ? 'none' : percent(labelled / predictions)} labelled`,
    ],
    [count(verdicts.length), `windows judged, ${plural(alerts, 'alert')}`],
    [count(kind('retrain')), kind('retrain') === 1 ? 'retrain asked for' : 'retrains asked for'],
  ];
  return html`<ol class="panel loop" aria-label="The loop so far">${steps.map(([number, what]) => html`<li><span class="count">${number}</span><span class="what">${what}</span></li>`)}</ol>`;
}

type Event = { readonly at: string; readonly kind: string; readonly text: Html };

const TOLD = new Set(['requested', 'proposed', 'merged', 'live', 'failed', 'rejected', 'superseded', 'rolled-back']);

function latest({ changes, verdicts, cards }: HomeView): Html {
  const events: Event[] = [
    ...changes.flatMap((change) =>
      change.history.filter(({ phase }) => TOLD.has(phase)).map(({ phase, at }) => changeEvent(change, phase, at)),
    ),
    ...verdicts.map(verdictEvent),
    ...cards.map(({ at, title, state }) => ({
      at,
      kind: 'card',
      text: html`${title} <span class="soft">(${state})</span>`,
    })),
  ];
  if (events.length === 0) return html`<p class="empty">Nothing yet.</p>`;
  const newest = events.sort((a, b) => (a.at < b.at ? 1 : -1)).slice(0, EVENTS);
  return html`<ol class="events" aria-labelledby="latest">${newest.map(({ at, kind, text }) => html`<li><span class="soft">${when(at)}</span><span class="soft">${kind}</span><span>${text}</span></li>`)}</ol>`;
}

function changeEvent(change: Change, phase: Change['phase'], at: string): Event {
  const request = change.pullRequest;
  const link = request === undefined ? '' : html` (${externalLink(request.url, `pull request ${request.number}`)})`;
  return {
    at,
    kind: change.kind,
    text: html`${change.model} version ${change.version} ${change.kind === 'retrain' ? 'retraining' : `in ${change.environment}`}: ${phaseWord(change, phase)}${link}`,
  };
}

function verdictEvent({ window, state, metrics, judgedAt }: Verdict): Event {
  const figures = metrics.auc === null ? '' : `, AUC ${figure(metrics.auc)}, KS ${figure(metrics.ks)}`;
  return {
    at: judgedAt,
    kind: 'verdict',
    text: html`${verdictBadge(state)} ${window.model} version ${window.version}, ${window.period}${figures}`,
  };
}
