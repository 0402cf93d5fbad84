import type { VariableBaseline } from '@fairway/core';
import { binNames } from '../moved/bins.ts';
import { axisOf } from '../dashboard/axis.ts';
import { type Html, html } from '../dashboard/html.ts';
import { figure, percent } from '../dashboard/words.ts';
import type { WindowAnalysis } from './window.ts';

const WIDTH = 560;
const round = (value: number): number => Math.round(value * 10) / 10;

type Drawing = { readonly id: string; readonly title: string; readonly finding: string };

/** A figure with a finding, a drawing and the same numbers as a table. */
function framed({ id, title, finding }: Drawing, height: number, drawing: Html, key: Html, numbers: Html): Html {
  return html`<figure><figcaption><h3>${title}</h3><p>${finding}</p></figcaption>
<svg class="chart" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="${id}-t ${id}-d"><title id="${id}-t">${title}</title><desc id="${id}-d">${finding} The table below holds the same numbers.</desc>${drawing}</svg>
${key}<details><summary>Numbers of this chart</summary>${numbers}</details></figure>`;
}

/** AUC or KS of each window on one axis, with its 95 % interval where it has one. */
export function rankingChart(windows: readonly WindowAnalysis[], metric: 'auc' | 'ks'): Html | '' {
  const title = metric === 'auc' ? 'AUC' : 'KS between events and non-events';
  const shown = windows.filter((one) => one[metric] !== null);
  const [first, last] = [shown[0], shown.at(-1)];
  if (first === undefined || last === undefined) return '';
  const reach = (one: WindowAnalysis) => (metric === 'auc' ? (one.aucInterval ?? []) : []);
  const values = shown.flatMap((one) => [one[metric] as number, ...reach(one)]);
  const { from, to, ticks } = axisOf(values, [0, 1]);
  const left = 130;
  const x = (value: number) => round(left + ((value - from) / (to - from)) * (WIDTH - left - 60));
  const height = 34 + shown.length * 34;
  const drawing = html`${ticks.map(([tick, text]) => html`<line class="grid" x1="${x(tick)}" x2="${x(tick)}" y1="6" y2="${height - 26}"/><text x="${x(tick)}" y="${height - 8}" text-anchor="middle">${text}</text>`)}
${shown.map((one, row) => {
  const y = 24 + row * 34;
  const [low, high] = reach(one);
  const whisker =
    low === undefined || high === undefined
      ? ''
      : html`<path class="whisker" d="M${x(low)} ${y}H${x(high)}M${x(low)} ${y - 5}v10M${x(high)} ${y - 5}v10"/>`;
  return html`${whisker}<circle class="mark mark-${one.verdict}" cx="${x(one[metric] as number)}" cy="${y}" r="6"/><text x="${left - 14}" y="${y + 4}" text-anchor="end">${clipped(one.name, 18)}</text><text class="value" x="${WIDTH - 4}" y="${y + 4}" text-anchor="end">${figure(one[metric])}</text>`;
})}`;
  const change = (last[metric] as number) - (first[metric] as number);
  const finding =
    first === last
      ? `${figure(first[metric])} in ${first.name}.`
      : `From ${figure(first[metric])} in ${first.name} to ${figure(last[metric])} in ${last.name}: ${change < 0 ? 'it fell' : 'it rose'} by ${figure(Math.abs(change))}.`;
  const numbers = html`<table><thead><tr><th scope="col">Window</th><th scope="col" class="number">${metric.toUpperCase()}</th>${metric === 'auc' && html`<th scope="col" class="number">95 % interval</th>`}</tr></thead><tbody>${shown.map((one) => html`<tr><th scope="row">${one.name}</th><td class="number">${figure(one[metric])}</td>${metric === 'auc' && html`<td class="number">${one.aucInterval === null ? '–' : `${figure(one.aucInterval[0])} to ${figure(one.aucInterval[1])}`}</td>`}</tr>`)}</tbody></table>`;
  return framed({ id: metric, title, finding }, height, drawing, html``, numbers);
}

const clipped = (text: string, length: number): string =>
  text.length > length ? `${text.slice(0, length - 1)}…` : text;

/** Shares of a variable's bins: the baseline beside the newest windows (three at most). */
export function distributionChart(id: string, variable: VariableBaseline, windows: readonly WindowAnalysis[]): Html {
  const shown = windows.slice(-3);
  const names = binNames(variable);
  const all = variable.n + variable.missing;
  const reference = [...variable.counts, variable.missing].map((count) => (all === 0 ? 0 : count / all));
  const series = [reference, ...shown.map((one) => shares(one, variable.name, names.length))];
  const kept = names.map((_, bin) => bin).filter((bin) => series.some((one) => (one[bin] ?? 0) > 0));
  const most = Math.max(0.01, ...series.flat());
  const [left, top, bottom, height] = [40, 10, 46, 230];
  const slot = (WIDTH - left - 6) / Math.max(1, kept.length);
  const wide = Math.min(26, (slot * 0.82) / series.length);
  const y = (share: number) => round(top + (1 - share / most) * (height - top - bottom));
  const ticks = [0, most / 2, most];
  const drawing = html`${ticks.map((tick) => html`<line class="grid" x1="${left}" x2="${WIDTH - 6}" y1="${y(tick)}" y2="${y(tick)}"/><text x="${left - 6}" y="${y(tick) + 4}" text-anchor="end">${(tick * 100).toFixed(0)} %</text>`)}
${kept.map((bin, index) => {
  const start = left + slot * index + (slot - wide * series.length) / 2;
  const middle = round(left + slot * (index + 0.5));
  const bars = series.map((one, which) => {
    const share = one[bin] ?? 0;
    return html`<rect class="bar${which}" x="${round(start + wide * which)}" y="${y(share)}" width="${round(wide * 0.9)}" height="${round(y(0) - y(share))}"/>`;
  });
  return html`${bars}<text x="${middle}" y="${height - bottom + 14}" text-anchor="end" transform="rotate(-28 ${middle} ${height - bottom + 14})" font-size="10">${clipped(names[bin] ?? '', 12)}</text>`;
})}`;
  const key = html`<ul class="key">${['baseline', ...shown.map(({ name }) => name)].map((name, which) => html`<li><svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true"><rect class="bar${which}" width="12" height="12"/></svg>${name}</li>`)}</ul>`;
  const numbers = html`<table><thead><tr><th scope="col">${variable.kind === 'numeric' ? 'Values' : 'Category'}</th><th scope="col" class="number">baseline</th>${shown.map(({ name }) => html`<th scope="col" class="number">${name}</th>`)}</tr></thead><tbody>${kept.map((bin) => html`<tr><th scope="row">${names[bin]}</th>${series.map((one) => html`<td class="number">${percent(one[bin] ?? 0)}</td>`)}</tr>`)}</tbody></table>`;
  return framed(
    { id, title: variable.name, finding: findingOf(variable, shown, names, series) },
    height,
    drawing,
    key,
    numbers,
  );
}

function shares(one: WindowAnalysis, name: string, bins: number): number[] {
  const counts = new Map(one.counts[name]);
  const proper = Array.from({ length: bins - 1 }, (_, bin) => counts.get(bin) ?? 0);
  const all = [...proper, counts.get(-1) ?? 0];
  return all.map((count) => (one.rows === 0 ? 0 : count / one.rows));
}

function findingOf(
  { name }: VariableBaseline,
  shown: readonly WindowAnalysis[],
  names: readonly string[],
  [reference = [], ...series]: ReadonlyArray<readonly number[]>,
): string {
  const [last, now] = [shown.at(-1), series.at(-1) ?? []];
  const changes = names.map((_, bin) => (now[bin] ?? 0) - (reference[bin] ?? 0));
  const bin = changes.reduce(
    (best, change, index) => (Math.abs(change) > Math.abs(changes[best] ?? 0) ? index : best),
    0,
  );
  const psi = `PSI ${figure(last?.psiWithMissing[name])} with missing values in ${last?.name}`;
  return `${psi}; the share of ${names[bin]} went from ${percent(reference[bin] ?? 0)} to ${percent(now[bin] ?? 0)}.`;
}

/** Event rate against mean score in each tenth of the score. */
export function calibrationChart(one: WindowAnalysis): Html | '' {
  const bins = one.calibration.flatMap(({ rows, scores, events }, k) =>
    rows === 0 ? [] : [{ k, rows, score: scores / rows, rate: events / rows }],
  );
  if (bins.length === 0) return '';
  const [left, top, size] = [46, 10, 230];
  const x = (share: number) => round(left + share * (WIDTH - left - 20));
  const y = (share: number) => round(top + (1 - share) * size);
  const most = Math.max(...bins.map(({ rows }) => rows));
  const height = top + size + 40;
  const drawing = html`${[0, 0.25, 0.5, 0.75, 1].map((tick) => html`<line class="grid" x1="${left}" x2="${WIDTH - 20}" y1="${y(tick)}" y2="${y(tick)}"/><text x="${left - 6}" y="${y(tick) + 4}" text-anchor="end">${tick * 100} %</text><text x="${x(tick)}" y="${top + size + 16}" text-anchor="middle">${tick}</text>`)}
<line class="base" x1="${x(0)}" y1="${y(0)}" x2="${x(1)}" y2="${y(1)}"/><text x="${WIDTH - 20}" y="${height - 6}" text-anchor="end">mean score</text>
${bins.map(({ rows, score, rate }) => html`<circle class="dot" cx="${x(score)}" cy="${y(rate)}" r="${round(4 + 9 * Math.sqrt(rows / most))}"/>`)}`;
  const gap = one.figures['calibration'] ?? 0;
  const finding = `In ${one.name} the mean score lies ${(Math.abs(gap) * 100).toFixed(1)} points ${gap < 0 ? 'below' : 'above'} the event rate; calibration error ${figure(one.figures['ece'])}. Dots on the dashed line would be right; larger dots hold more rows.`;
  const numbers = html`<table><thead><tr><th scope="col">Score from</th><th scope="col" class="number">Rows</th><th scope="col" class="number">Mean score</th><th scope="col" class="number">Event rate</th></tr></thead><tbody>${bins.map(({ k, rows, score, rate }) => html`<tr><th scope="row">${(k / 10).toFixed(1)}</th><td class="number">${rows}</td><td class="number">${figure(score)}</td><td class="number">${percent(rate)}</td></tr>`)}</tbody></table>`;
  return framed({ id: 'calibration', title: 'Calibration', finding }, height, drawing, html``, numbers);
}
