import type { Baseline } from '@fairway/core';
import { type Html, html } from '../dashboard/html.ts';
import { STYLE } from '../dashboard/style.ts';
import { count, figure, percent, STATE_WORDS, verdictBadge } from '../dashboard/words.ts';
import { movedList } from '../dashboard/moved-list.ts';
import { calibrationChart, distributionChart, rankingChart } from './report-charts.ts';
import { segmentSentence } from '../moved/worst-segments.ts';
import { type WindowAnalysis, worst } from './window.ts';

const OWN_STYLE = `
.bar0{fill:var(--whisker)}:root{--second:#c2571a}@media (prefers-color-scheme:dark){:root{--second:#e99a55}}.bar1{fill:var(--second)}.bar2{fill:var(--ks)}.bar3{fill:var(--auc)}.dot{fill:var(--auc);fill-opacity:.75;stroke:var(--panel)}
figure text{font-variant-numeric:tabular-nums}.tight th,.tight td{padding-top:.34rem;padding-bottom:.34rem}header p{margin:0;color:var(--soft)}.one{grid-template-columns:1fr}ul.plain{margin:.4rem 0 0;padding-left:1.1rem}
@media print{body{background:#fff}figure,.panel,.tile{break-inside:avoid}details{display:none}}
@media (max-width:32rem){.charts{grid-template-columns:minmax(0,1fr)}main,header>div,footer{padding-left:.8rem;padding-right:.8rem}}`;

/** Inputs that get a chart of their own: what moved most, as far as it moved at all; one in any case. */
const CHARTED = 6;
const MOVED = 0.005;

type About = { readonly name: string; readonly rows: number; readonly leftOut: readonly string[] };

/** The whole analysis as one file: no scripts, no requests, light and dark, every chart with its numbers as a table. */
export function analysisPage(about: About, baseline: Baseline, windows: readonly WindowAnalysis[]): string {
  const hasScores = windows.some((one) => one.figures['meanScore'] !== null);
  const verdict = worst(windows.map((one) => one.verdict));
  const body = html`<h1>${windows.map(({ name }) => name).join(', ')} against ${about.name}</h1>
<p class="lead">${lead(windows)} Baseline: ${count(about.rows)} rows, ${baseline.variables.length} inputs.${about.leftOut.map((sentence) => ` ${sentence}`)}</p>
${tiles(windows.at(-1) as WindowAnalysis, hasScores)}
<h2 id="findings">What the rules say</h2><div class="panel" role="region" aria-labelledby="findings" tabindex="0">${findings(windows)}</div>
<h2 id="figures">Figures</h2><div class="panel" role="region" aria-labelledby="figures" tabindex="0">${figuresTable(windows, hasScores)}</div>
${hasScores && html`<h2>Performance</h2><div class="charts">${rankingChart(windows, 'auc')}${rankingChart(windows, 'ks')}${calibrationChart(windows.at(-1) as WindowAnalysis)}</div>`}
<h2 id="drift">How far the inputs moved</h2><div class="panel" role="region" aria-labelledby="drift" tabindex="0">${driftTable(windows)}</div>
<h2 id="moved">What moved most</h2><div class="panel" role="region" aria-labelledby="moved" tabindex="0">${movedList(windows.at(-1)?.moved ?? [])}</div><div class="charts">${charted(baseline, windows).map((variable, index) => distributionChart(`input${index}`, variable, windows))}</div>
<h2 id="tests">Other distances, last window</h2><div class="panel" role="region" aria-labelledby="tests" tabindex="0">${distanceTable(windows.at(-1) as WindowAnalysis)}</div>`;
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${STATE_WORDS[verdict]}: ${windows.map(({ name }) => name).join(', ')} · Fairway</title><link rel="icon" href="data:,">
<style>${{ html: STYLE + OWN_STYLE }}</style></head>
<body><a class="skip" href="#content">Skip to content</a><header><div><span class="brand">Fairway</span><p>Model analysis</p>${verdictBadge(verdict)}</div></header>
<main id="content">${body}</main>
<footer><p>PSI: deciles of the baseline (type 7), right-closed bins, shares floored at 1e-4, natural logarithm. AUC and KS from single scores, ties as ties; interval by DeLong. Data: sha256 ${baseline.source.slice(0, 12)}.</p></footer>
</body></html>`.html;
}

function lead(windows: readonly WindowAnalysis[]): string {
  const last = windows.at(-1) as WindowAnalysis;
  const words = {
    healthy: 'all rules hold',
    warning: 'a rule warns',
    alert: 'a rule alerts',
    insufficient: 'not every rule could be evaluated',
  };
  return `In ${last.name}, ${words[last.verdict]}.`;
}

function tiles(last: WindowAnalysis, hasScores: boolean): Html {
  const worstInput = Object.entries(last.psiWithMissing).reduce<[string, number] | undefined>(
    (most, [name, value]) => (value !== null && value > (most?.[1] ?? -1) ? [name, value] : most),
    undefined,
  );
  const at = last.aucInterval;
  const performance: Array<[string, Html, string]> = [
    ['AUC', html`${figure(last.auc)}`, at === null ? 'no interval' : `${figure(at[0])} to ${figure(at[1])} (95 %)`],
    ['KS', html`${figure(last.ks)}`, 'between events and non-events'],
  ];
  const list: Array<[string, Html, string]> = [
    ['Verdict', verdictBadge(last.verdict), last.name],
    ...(hasScores ? performance : []),
    ['Largest PSI', html`${figure(worstInput?.[1])}`, worstInput === undefined ? 'no input' : `of ${worstInput[0]}`],
    ['Rows', html`${count(last.rows)}`, `${percent(last.labelled / last.rows)} labelled`],
  ];
  return html`<dl class="tiles">${list.map(([title, value, more]) => html`<div class="tile"><dt>${title}</dt><dd><span class="value">${value}</span><br><span class="soft small">${more}</span></dd></div>`)}</dl>`;
}

function findings(windows: readonly WindowAnalysis[]): Html {
  return html`<ol class="findings">${windows
    .toReversed()
    .map(({ name, verdict, findings: found, notes, segments = [] }) => {
      const sentences = [...found.map(({ message }) => message), ...notes, ...segments.map(segmentSentence)];
      const all = sentences.length === 0 ? ['All rules hold.'] : sentences;
      return html`<li><div>${verdictBadge(verdict)}</div><div><strong>${name}</strong><ul>${all.map((sentence) => html`<li>${sentence}</li>`)}</ul></div></li>`;
    })}</ol>`;
}

const share = (value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : `${(value * 100).toFixed(1)}\u00a0%`;

function figuresTable(windows: readonly WindowAnalysis[], hasScores: boolean): Html {
  const one =
    (metric: string, show = figure) =>
    (window: WindowAnalysis) =>
      show(window.figures[metric]);
  const rows: Array<[string, (window: WindowAnalysis) => string]> = [
    ['Rows', ({ rows: all }) => count(all)],
    ['Labelled', ({ labelled, rows: all }) => percent(labelled / all)],
    ['Event rate', one('eventRate', share)],
  ];
  if (hasScores) {
    rows.push(
      ['AUC', one('auc')],
      ['95 % interval', ({ aucInterval: at }) => (at === null ? '–' : `${figure(at[0])} to ${figure(at[1])}`)],
    );
    rows.push(['KS', one('ks')], ['Gini (2 AUC − 1)', one('gini')]);
    for (const depth of [5, 10, 20]) rows.push([`Lift at ${depth} %`, one(`lift${depth}`)]);
    rows.push(
      ['Brier score (ASE)', one('brier')],
      ['Log loss', one('logLoss')],
      ['Calibration error (ECE)', one('ece')],
    );
    rows.push(['Mean score', one('meanScore')], ['Mean score − event rate', one('calibration')]);
    rows.push(
      ['Accuracy at the cutoff', one('accuracy', share)],
      ['Recall', one('recall', share)],
      ['Precision', one('precision', share)],
    );
    rows.push(
      ['Commonest score', one('constantScore', share)],
      ['Score PSI', one('scorePsi')],
      ['Target PSI', one('targetPsi')],
    );
    rows.push(['AUC to expect if only inputs had changed', one('cbpeAuc')]);
  }
  if (windows.some(({ figures }) => figures['mae'] !== null || figures['predictionPsi'] !== null)) {
    rows.push(['Mean absolute error', one('mae')], ['Root mean squared error', one('rmse')], ['R²', one('rSquared')]);
    rows.push(
      ['PSI of the prediction', one('predictionPsi')],
      ['Largest shift of its deciles', one('predictionDrift')],
    );
  }
  if (windows.some(({ figures }) => (figures['noClass'] ?? null) !== null)) {
    rows.push(['Accuracy', one('accuracy', share)], ['Balanced accuracy', one('balancedAccuracy', share)]);
    rows.push(['Macro F1', one('macroF1')], ['Weighted F1', one('weightedF1')], ["Cohen's kappa", one('kappa')]);
    rows.push(['Log loss of all classes', one('logLoss')], ['PSI of the predicted class', one('classPsi')]);
    rows.push(['Mean AUC of the classes', one('macroAuc')]);
    for (const name of Object.keys(windows[0]?.classes ?? {})) {
      rows.push([`Recall of ${name}`, ({ classes = {} }) => share(classes[name]?.['classRecall'])]);
      rows.push([`AUC of ${name} against the others`, ({ classes = {} }) => figure(classes[name]?.['classAuc'])]);
    }
  }
  return html`<table class="tight"><thead><tr><th scope="col">Figure</th>${windows.map(({ name }) => html`<th scope="col" class="number">${name}</th>`)}</tr></thead>
<tbody>${rows.map(([title, read]) => html`<tr><th scope="row">${title}</th>${windows.map((window) => html`<td class="number">${read(window)}</td>`)}</tr>`)}</tbody></table>`;
}

const LEVELS = [
  { from: 0.25, style: 'h3', mark: '▲▲ ' },
  { from: 0.1, style: 'h2', mark: '▲ ' },
  { from: 0.05, style: 'h1', mark: '' },
] as const;

function driftTable(windows: readonly WindowAnalysis[]): Html {
  const cell = (window: WindowAnalysis, name: string): Html => {
    const value = window.psiWithMissing[name] ?? null;
    const level = value === null ? undefined : LEVELS.find(({ from }) => value >= from);
    return html`<td class="${level?.style ?? ''}">${level?.mark}${figure(value)}</td>`;
  };
  return html`<table class="heat"><caption>PSI with missing values as a bin. ▲ from 0.10: moved; ▲▲ from 0.25: moved far.</caption>
<thead><tr><th scope="col">Input</th>${windows.map(({ name }) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${byDrift(windows).map((name) => html`<tr><th scope="row">${name}</th>${windows.map((window) => cell(window, name))}</tr>`)}</tbody></table>`;
}

/** Inputs, what moved most in any window first. */
function byDrift(windows: readonly WindowAnalysis[]): string[] {
  const most = (name: string) => Math.max(...windows.map((one) => one.psiWithMissing[name] ?? 0));
  return Object.keys(windows[0]?.psi ?? {}).sort((a, b) => most(b) - most(a));
}

function charted(baseline: Baseline, windows: readonly WindowAnalysis[]) {
  const moved = byDrift(windows).filter(
    (name, index) => index === 0 || windows.some((one) => (one.psiWithMissing[name] ?? 0) >= MOVED),
  );
  return moved.slice(0, CHARTED).flatMap((name) => baseline.variables.filter((variable) => variable.name === name));
}

const DISTANCES: ReadonlyArray<
  readonly [metric: string, title: string, show: (value: number | null | undefined) => string]
> = [
  ['psi', 'PSI', figure],
  ['jsDistance', 'JS distance', figure],
  ['ksTwoSample', 'KS distance', figure],
  ['wasserstein', 'Wasserstein / std', figure],
  ['lInfinity', 'Largest change of a share', share],
  ['missing', 'Missing', share],
  ['outOfRange', 'Out of range', share],
  ['newCategory', 'New categories', share],
];

function distanceTable(last: WindowAnalysis): Html {
  return html`<table class="tight"><caption>${last.name} against the baseline</caption><thead><tr><th scope="col">Input</th>${DISTANCES.map(([, title]) => html`<th scope="col" class="number">${title}</th>`)}</tr></thead>
<tbody>${byDrift([last]).map((name) => html`<tr><th scope="row">${name}</th>${DISTANCES.map(([metric, , show]) => html`<td class="number">${show(last.inputs[name]?.[metric])}</td>`)}</tr>`)}</tbody></table>`;
}
