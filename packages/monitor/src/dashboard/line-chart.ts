import type { VerdictState } from '@fairway/core';
import { type Axis, axisOf } from './axis.ts';
import { type Html, html } from './html.ts';
import { figure, STATE_WORDS } from './words.ts';

export type Point = {
  readonly label: string;
  readonly version: string;
  readonly state: VerdictState;
  readonly value: number | null;
  readonly interval: readonly [number, number] | null;
  readonly baseline: number | null;
  /** Where the policy speaks up, on the metric's own scale. */
  readonly limit: number | null;
};

export type LineChart = {
  readonly id: string;
  readonly title: string;
  readonly finding: string;
  readonly series: 'auc' | 'ks';
  /** What a value can be at all. */
  readonly bounds: readonly [least: number, most: number];
  readonly points: readonly Point[];
};

const WIDTH = 560;
const HEIGHT = 280;
const LEFT = 46;
const RIGHT = 18;
const TOP = 40;
const BOTTOM = 44;
/** Above so many windows, names and values would run into each other. */
const MANY = 10;

type Scale = {
  readonly x: (index: number) => number;
  readonly y: (value: number) => number;
  readonly ticks: Axis['ticks'];
};

/** A metric over windows: line, 95 % whiskers, baseline, limit, version turns; verdicts as shapes. The numbers follow as a table. */
export function lineChart(chart: LineChart): Html {
  const { id, title, finding, points } = chart;
  return html`<figure><figcaption><h3>${title}</h3><p>${finding}</p></figcaption>
<svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="${id}-t ${id}-d"><title id="${id}-t">${title} per window</title><desc id="${id}-d">${finding} The table below holds the same numbers.</desc>${drawing(chart)}</svg>
${key(points)}
<details><summary>Numbers of this chart</summary>${numbers(chart)}</details></figure>`;
}

const ALONE = `svg{background:#fff}text{font:12px system-ui,sans-serif;fill:#4a5560}.value{fill:#1c2530;font-weight:600}.grid{stroke:#e3e7eb}.turn{stroke:#9aa5b1;stroke-dasharray:3 3}.base{stroke:#5b6773;stroke-dasharray:6 4;stroke-width:1.5}.limit{stroke:#b3261e;stroke-dasharray:2 3;stroke-width:1.5}.whisker{stroke:#9fb3c8;fill:none;stroke-width:2}.series{fill:none;stroke-width:2}.auc{stroke:#1f5fa8}.ks{stroke:#0b7a75}.mark{stroke:#fff;stroke-width:1.5}.mark-healthy{fill:#1e7d3c}.mark-warning{fill:#b26a00}.mark-alert{fill:#b3261e}.mark-insufficient{fill:#7b8794}`;

/** The drawing of {@link lineChart} as a picture by itself, with its own colours: for places where no page is around it. */
export function lineSvg(chart: LineChart): string {
  const { id, title, finding } = chart;
  return html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-labelledby="${id}-t ${id}-d"><title id="${id}-t">${title} per window</title><desc id="${id}-d">${finding}</desc><style>${{ html: ALONE }}</style>${drawing(chart)}</svg>
`.html;
}

function drawing({ series, points, bounds }: LineChart): Html {
  const scale = scaleOf(points, bounds);
  return html`${grid(scale)}${turns(points, scale)}${steps(points, scale, 'baseline', 'base')}${steps(points, scale, 'limit', 'limit')}
${points.map((point, index) => whisker(point, scale.x(index), scale))}${line(points, scale, series)}
${points.map((point, index) => mark(point, scale.x(index), scale, points.length))}${names(points, scale)}`;
}

function scaleOf(points: readonly Point[], bounds: LineChart['bounds']): Scale {
  const values = points.flatMap(({ value, interval, baseline, limit }) =>
    [value, baseline, limit, ...(interval ?? [])].filter((one): one is number => Number.isFinite(one)),
  );
  const { from, to, ticks } = axisOf(values, bounds);
  const slot = (WIDTH - LEFT - RIGHT) / Math.max(1, points.length);
  return {
    x: (index) => round(LEFT + slot * (index + 0.5)),
    y: (value) => round(TOP + ((to - value) / (to - from)) * (HEIGHT - TOP - BOTTOM)),
    ticks,
  };
}

const grid = ({ y, ticks }: Scale): Html[] =>
  ticks.map(
    ([tick, text]) =>
      html`<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(tick)}" y2="${y(tick)}"/><text x="${LEFT - 8}" y="${y(tick) + 4}" text-anchor="end">${text}</text>`,
  );

/** A thin line where another version begins, and each version's name at its first window. */
function turns(points: readonly Point[], { x }: Scale): Html[] {
  return points.flatMap((point, index) => {
    const before = points[index - 1];
    if (before?.version === point.version) return [];
    const at = index === 0 ? LEFT : round((x(index - 1) + x(index)) / 2);
    const rule =
      index === 0 ? '' : html`<line class="turn" x1="${at}" x2="${at}" y1="${TOP - 34}" y2="${HEIGHT - BOTTOM}"/>`;
    return [html`${rule}<text x="${at + 6}" y="${TOP - 24}">version ${point.version}</text>`];
  });
}

/** A level that holds for a whole version: drawn from the first to the last of its windows. */
function steps(points: readonly Point[], { x, y }: Scale, level: 'baseline' | 'limit', style: string): Html[] {
  const half = points.length < 2 ? (WIDTH - LEFT - RIGHT) / 2 : (x(1) - x(0)) / 2;
  return points.flatMap((point, index) => {
    const value = point[level];
    if (value === null) return [];
    return [
      html`<line class="${style}" x1="${round(x(index) - half)}" x2="${round(x(index) + half)}" y1="${y(value)}" y2="${y(value)}"/>`,
    ];
  });
}

function whisker({ interval }: Point, x: number, { y }: Scale): Html | '' {
  if (interval === null) return '';
  const [low, high] = [y(interval[0]), y(interval[1])];
  return html`<path class="whisker" d="M${x} ${high}V${low}M${x - 5} ${high}h10M${x - 5} ${low}h10"/>`;
}

/** Windows of one version are joined; a version's end and a window without the figure break the line. */
function line(points: readonly Point[], { x, y }: Scale, series: string): Html {
  const path = points.map(({ value, version }, index) => {
    if (value === null) return '';
    const before = points[index - 1];
    const joined = before !== undefined && before.value !== null && before.version === version;
    return `${joined ? 'L' : 'M'}${x(index)} ${y(value)}`;
  });
  return html`<path class="series ${series}" d="${path.join('')}"/>`;
}

function mark({ value, state, interval }: Point, x: number, { y }: Scale, n: number): Html | '' {
  if (value === null) return '';
  const at = y(value);
  const clear = interval === null ? at - 12 : Math.min(at - 12, y(interval[1]) - 6);
  return html`${shape(state, x, at)}${n <= MANY && html`<text class="value" x="${x}" y="${Math.max(TOP - 6, clear)}" text-anchor="middle">${figure(value)}</text>`}`;
}

function shape(state: VerdictState, x: number, y: number): Html {
  const style = `mark mark-${state}`;
  if (state === 'alert') return html`<path class="${style}" d="M${x} ${y - 8}l8 8-8 8-8-8Z"/>`;
  if (state === 'warning') return html`<path class="${style}" d="M${x} ${y - 8}l8 14h-16Z"/>`;
  return html`<circle class="${style}" cx="${x}" cy="${y}" r="6"/>`;
}

function names(points: readonly Point[], { x }: Scale): Html[] {
  const every = Math.ceil(points.length / MANY);
  return points.map((point, index) =>
    index % every === 0
      ? html`<text x="${x(index)}" y="${HEIGHT - BOTTOM + 20}" text-anchor="middle">${point.label}</text>`
      : html``,
  );
}

/** What the marks mean: only what the chart shows. */
function key(points: readonly Point[]): Html {
  const states = (['healthy', 'warning', 'alert', 'insufficient'] as const).filter((state) =>
    points.some((point) => point.state === state && point.value !== null),
  );
  const stroke = (style: string, word: string) =>
    html`<li><svg width="26" height="10" aria-hidden="true"><line class="${style}" x1="0" x2="26" y1="5" y2="5"/></svg>${word}</li>`;
  return html`<ul class="key">${states.map((state) => html`<li><svg width="18" height="18" aria-hidden="true">${shape(state, 9, 9)}</svg>${STATE_WORDS[state]}</li>`)}
${points.some(({ baseline }) => baseline !== null) && stroke('base', 'baseline (held-out)')}${points.some(({ limit }) => limit !== null) && stroke('limit', 'alert limit')}${points.some(({ interval }) => interval !== null) && stroke('whisker', '95 % interval')}</ul>`;
}

function numbers({ title, points }: LineChart): Html {
  const withInterval = points.some(({ interval }) => interval !== null);
  return html`<table><thead><tr><th scope="col">Window</th><th scope="col">Version</th><th scope="col" class="number">${title}</th>${withInterval && html`<th scope="col" class="number">95 % interval</th>`}<th scope="col" class="number">Baseline</th><th scope="col" class="number">Alert limit</th></tr></thead><tbody>
${points.map(({ label, version, value, interval, baseline, limit }) => html`<tr><th scope="row">${label}</th><td>${version}</td><td class="number">${figure(value)}</td>${withInterval && html`<td class="number">${interval === null ? '–' : `${figure(interval[0])} – ${figure(interval[1])}`}</td>`}<td class="number">${figure(baseline)}</td><td class="number">${figure(limit)}</td></tr>`)}</tbody></table>`;
}

const round = (value: number): number => Math.round(value * 10) / 10;
