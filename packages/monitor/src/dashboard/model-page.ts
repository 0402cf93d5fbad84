import type { Baseline, Movement, Verdict } from '@fairway/core';
import { worstPsi } from '../app/announce.ts';
import { unansweredSentence } from '../app/unanswered.ts';
import type { Policy } from '../policy/schema.ts';
import type { ModelSummary } from '../ports.ts';
import { heatTable } from './heat-table.ts';
import { type Html, html } from './html.ts';
import { lineChart } from './line-chart.ts';
import { segmentSentence } from '../moved/worst-segments.ts';
import { movedList } from './moved-list.ts';
import { numberTable } from './number-table.ts';
import { performanceChart, seriesOf } from './performance-chart.ts';
import { count, coverage, figure, percent, verdictBadge, when } from './words.ts';

/** Classes with a column of their own. */
const MOST_CLASSES = 20;

export type ModelView = {
  readonly model: string;
  readonly environment: string;
  readonly environments: readonly string[];
  readonly summary: ModelSummary | undefined;
  /** Of this environment, oldest first. */
  readonly verdicts: readonly Verdict[];
  readonly baselines: ReadonlyMap<string, Baseline>;
  readonly policy: Policy | undefined;
  /** What moved in the newest window; undefined where its version has no baseline. */
  readonly moved: readonly Movement[] | undefined;
  readonly policyFile: { readonly blob: string; readonly text: string } | undefined;
};

/** One model in one environment: how it performed, what moved, which rules spoke. */
export function renderModel(view: ModelView): Html {
  const { model, environment, environments, verdicts } = view;
  const tab = (name: string) =>
    html`<a href="?environment=${encodeURIComponent(name)}"${name === environment ? html` aria-current="true"` : ''}>${name}</a>`;
  return html`<h1>${model}</h1><p class="lead">${lead(view)}</p>
${environments.length > 1 && html`<p class="tabs">${environments.map(tab)}</p>`}
${
  verdicts.length === 0
    ? html`<div class="panel"><p class="empty">No window of ${model} in ${environment} has been judged yet: a window is judged when its period has ended and its counts have been quiet for a while.</p></div>`
    : html`${tiles(verdicts)}<div class="charts">${seriesOf(verdicts).map((series) => lineChart(performanceChart(view, series)))}</div>
<h2 id="windows">Windows</h2><div class="panel" role="region" tabindex="0" aria-labelledby="windows">${windowTable(verdicts)}</div>
${view.moved !== undefined && html`<h2 id="moved">What moved in ${verdicts.at(-1)?.window.period}</h2><div class="panel" role="region" tabindex="0" aria-labelledby="moved">${movedList(view.moved)}</div>`}
${classTable(verdicts)}
${numberTable(verdicts)}
${segmentList(verdicts.at(-1))}
<h2 id="drift">What moved in the inputs</h2><div class="panel" role="region" tabindex="0" aria-labelledby="drift">${heatTable(verdicts)}</div>
<h2 id="findings">Findings</h2><div class="panel">${findings(verdicts)}</div>`
}
${view.policyFile !== undefined && html`<h2 id="policy">Policy</h2><div class="panel"><details><summary class="empty">policy.yaml, Git blob <code>${view.policyFile.blob.slice(0, 12)}</code></summary><pre>${view.policyFile.text}</pre></details></div>`}`;
}

function lead({ summary, environment, verdicts }: ModelView): string {
  const live = summary?.environments.find(({ name }) => name === environment)?.live;
  const place =
    live === undefined
      ? `Nothing is live in ${environment}`
      : `Version ${live.version} is live in ${environment} since ${live.since.slice(0, 10)}`;
  const last = verdicts.at(-1);
  if (last === undefined) return `${place}.`;
  const words = {
    healthy: 'all rules hold',
    warning: 'a rule warns',
    alert: 'a rule alerts',
    insufficient: 'not every rule could be evaluated',
  };
  return `${place}; in its last judged window, ${last.window.period} of version ${last.window.version}, ${words[last.state]}.`;
}

function tiles(verdicts: readonly Verdict[]): Html {
  const last = verdicts.at(-1) as Verdict;
  const { metrics, window, state } = last;
  const worst = worstPsi(metrics.psi);
  const list: Array<[string, Html, string]> = [
    ['Verdict', verdictBadge(state), `${window.period}, version ${window.version}`],
    ...performanceTiles(metrics),
    ['Worst PSI', html`${figure(worst?.[1])}`, worst === undefined ? 'no baseline' : `of ${worst[0]}`],
    [
      'Predictions',
      html`${count(metrics.predictions)}`,
      metrics.predictions === 0 ? 'none labelled' : `${percent(metrics.labelled / metrics.predictions)} labelled`,
    ],
  ];
  return html`<dl class="tiles">${list.map(([title, value, more]) => html`<div class="tile"><dt>${title}</dt><dd><span class="value">${value}</span><br><span class="soft small">${more}</span></dd></div>`)}</dl>`;
}

type Tile = [title: string, value: Html, more: string];

function performanceTiles({ auc, aucInterval: interval, ks, classification, regression }: Verdict['metrics']): Tile[] {
  if (regression !== undefined) {
    return [
      ['Mean absolute error', html`${figure(regression.mae)}`, `RMSE ${figure(regression.rmse)}`],
      ['R²', html`${figure(regression.rSquared)}`, `PSI of the prediction ${figure(regression.predictionPsi)}`],
    ];
  }
  if (classification !== undefined) {
    return [
      ['Accuracy', html`${figure(classification.accuracy)}`, `Cohen's kappa ${figure(classification.kappa)}`],
      [
        'Balanced accuracy',
        html`${figure(classification.balancedAccuracy)}`,
        `macro F1 ${figure(classification.macroF1)}`,
      ],
    ];
  }
  const reach = interval === null ? 'no interval' : `${figure(interval[0])} to ${figure(interval[1])} (95 %)`;
  return [
    ['AUC', html`${figure(auc)}`, reach],
    ['KS', html`${figure(ks)}`, 'between events and non-events'],
  ];
}

/** Windows of a model that predicts one of several classes: each figure, and the recall of each class. */
function classTable(verdicts: readonly Verdict[]): Html | false {
  const windows = verdicts.filter(({ metrics }) => metrics.classification !== undefined);
  const classes = Object.keys(windows.at(-1)?.metrics.classification?.recall ?? {}).slice(0, MOST_CLASSES);
  if (windows.length === 0) return false;
  const heads = [
    'Accuracy',
    'Balanced accuracy',
    'Macro F1',
    "Cohen's kappa",
    'Mean AUC',
    'Log loss',
    'PSI of the class',
  ];
  const row = ({ window, metrics: { classification: of } }: Verdict): Html => {
    const all = [of?.accuracy, of?.balancedAccuracy, of?.macroF1, of?.kappa, of?.macroAuc, of?.logLoss, of?.classPsi];
    return html`<tr><th scope="row" class="nowrap">${window.period}</th>${[...all, ...classes.map((name) => of?.recall[name])].map((value) => html`<td class="number">${figure(value)}</td>`)}</tr>`;
  };
  return html`<h2 id="classes">Classes</h2><div class="panel" role="region" tabindex="0" aria-labelledby="classes"><table aria-labelledby="classes"><thead><tr><th scope="col">Period</th>${[...heads, ...classes.map((name) => `Recall of ${name}`)].map((head) => html`<th scope="col" class="number">${head}</th>`)}</tr></thead>
<tbody>${windows.map(row)}</tbody></table></div>`;
}

/** Where the newest window does worst, if its policy asks for segments. */
function segmentList(last: Verdict | undefined): Html | false {
  if (last?.segments === undefined) return false;
  const none = html`<p class="empty">No segment does worse than the limits of the policy and chance allow.</p>`;
  const list = html`<ul>${last.segments.map((segment) => html`<li>${segmentSentence(segment)}</li>`)}</ul>`;
  return html`<h2 id="segments">Worst segments in ${last.window.period}</h2><div class="panel" role="region" tabindex="0" aria-labelledby="segments">${last.segments.length === 0 ? none : list}</div>`;
}

function windowTable(verdicts: readonly Verdict[]): Html {
  return html`<table aria-labelledby="windows"><thead><tr><th scope="col">Period</th><th scope="col">Version</th><th scope="col" class="number">Predictions</th><th scope="col" class="number">Labelled</th><th scope="col" class="number">Event rate</th><th scope="col" class="number">AUC (95 % interval)</th><th scope="col" class="number">KS</th><th scope="col" class="number">Worst PSI</th><th scope="col">Verdict</th></tr></thead>
<tbody>${verdicts.map(windowRow)}</tbody></table>`;
}

function windowRow({ window, metrics, state }: Verdict): Html {
  const worst = worstPsi(metrics.psi);
  const interval = metrics.aucInterval;
  return html`<tr><th scope="row" class="nowrap">${window.period}</th><td>${window.version}</td><td class="number">${count(metrics.predictions)}</td><td class="number">${coverage(metrics.labelled, metrics.predictions)}</td><td class="number">${metrics.eventRate === null ? '–' : percent(metrics.eventRate)}</td><td class="number">${figure(metrics.auc)}${interval !== null && html` <span class="soft">(${figure(interval[0])} – ${figure(interval[1])})</span>`}</td><td class="number">${figure(metrics.ks)}</td><td class="number">${worst === undefined ? '–' : html`${figure(worst[1])} <span class="soft">${worst[0]}</span>`}</td><td>${verdictBadge(state)}</td></tr>`;
}

const NOTHING: Readonly<Record<Verdict['state'], string>> = {
  healthy: 'All rules of the policy hold.',
  warning: '',
  alert: '',
  insufficient: 'Not every rule of the policy could be evaluated: nothing is cleared.',
};

function findings(verdicts: readonly Verdict[]): Html {
  return html`<ol class="findings" aria-labelledby="findings">${[...verdicts]
    .reverse()
    .map(
      ({ window, state, findings, unanswered = [], judgedAt, policy }) =>
        html`<li><div>${verdictBadge(state)}</div><div><strong>${window.period}</strong>, version ${window.version} <span class="soft small">judged ${when(judgedAt)} by policy <code>${policy.slice(0, 12)}</code></span>${
          findings.length === 0
            ? html`<br>${NOTHING[state]}`
            : html`<ul>${findings.map(({ message }) => html`<li>${message}</li>`)}</ul>`
        }${unanswered.length > 0 && html`<ul class="soft">${unanswered.map((one) => html`<li>${unansweredSentence(one)}</li>`)}</ul>`}</div></li>`,
    )}</ol>`;
}
