import type { Baseline, Verdict } from '@fairway/core';
import { describe, expect, test } from 'vitest';
import { renderCards } from './cards-page.ts';
import { renderChanges } from './changes-page.ts';
import { renderHome } from './home.ts';
import { externalLink, html } from './html.ts';
import { renderPage } from './layout.ts';
import { lineSvg } from './line-chart.ts';
import { renderModel } from './model-page.ts';
import { parsePolicy } from '../policy/parse.ts';
import { performanceChart } from './performance-chart.ts';
import { STYLE } from './style.ts';

const EVIL = `<script>alert("x")</script>'&`;

const verdict = (period: string, state: Verdict['state'], auc: number | null, version = '1'): Verdict => ({
  id: period,
  window: { model: EVIL, version, environment: 'prod', period, start: period, end: '' },
  state,
  metrics: {
    predictions: 2000,
    labelled: 1900,
    events: 400,
    auc,
    aucInterval: auc === null ? null : [auc - 0.02, auc + 0.02],
    ks: auc,
    gini: null,
    meanScore: null,
    eventRate: 0.2,
    brier: null,
    psi: { [EVIL]: 0.3, LOAN: 0.12, YOJ: null },
    psiWithMissing: {},
    missing: {},
    scorePsi: null,
  },
  findings:
    state === 'alert'
      ? [{ rule: 'r', metric: 'auc', value: 1, limit: 1, op: '>', sample: 1, severity: 'alert', message: EVIL }]
      : [],
  ...(state === 'insufficient' ? { unanswered: [{ rules: ['gini'], lacks: 'reference' as const, reason: EVIL }] } : {}),
  policy: 'b10bb10bb10bb10b',
  counts: '',
  judgedAt: '2026-01-01T00:00:00.000Z',
});
const verdicts = [
  verdict('2025Q1', 'healthy', 0.9),
  verdict('2025Q2', 'insufficient', null),
  verdict('2025Q3', 'warning', 0.85),
  verdict('2025Q4', 'alert', 0.8),
  verdict('2026Q1', 'healthy', 0.89, '2'),
];
const classified = verdicts.map((one) => {
  const of = { accuracy: 0.8125, balancedAccuracy: 0.75, macroF1: 0.7, kappa: 0.6, logLoss: null, classPsi: 0.01 };
  return { ...one, metrics: { ...one.metrics, classification: { ...of, recall: { [EVIL]: 0.5, oak: null } } } };
});
const numbers = verdicts.map((one, at) => {
  const of = { mae: 10 + at, rmse: 20, rSquared: 0.5, predictionPsi: 0.125, predictionDrift: null };
  return { ...one, metrics: { ...one.metrics, auc: null, aucInterval: null, ks: null, regression: of } };
});
const summary = {
  model: EVIL,
  owner: EVIL,
  environments: [{ name: 'prod', namespace: EVIL, application: EVIL, merge: 'review' as const }],
};
const change = {
  id: EVIL,
  kind: 'deploy' as const,
  model: EVIL,
  version: EVIL,
  environment: EVIL,
  phase: 'live' as const,
  branch: EVIL,
  actor: EVIL,
  reason: EVIL,
  createdAt: '',
  updatedAt: '',
  history: [{ phase: 'live' as const, at: '' }],
  pullRequest: { number: 1, url: 'javascript:alert(1)', state: 'open' as const, headSha: '' },
};
const card = {
  deliveryId: EVIL,
  event: EVIL,
  title: EVIL,
  at: '',
  state: 'dead' as const,
  channel: 'teams' as const,
  attempts: 3,
  reason: EVIL,
  link: 'javascript:alert(1)',
  from: 'monitor' as const,
};
const model = {
  model: EVIL,
  environment: 'prod',
  environments: ['dev', EVIL],
  summary,
  verdicts,
  baselines: new Map(),
  policy: undefined,
  moved: [
    {
      kind: 'inputs' as const,
      variable: EVIL,
      metric: 'psi',
      value: 1,
      before: null,
      strength: 9,
      share: 1,
      sentence: EVIL,
    },
  ],
  policyFile: { blob: EVIL, text: EVIL },
};

const pages = {
  home: renderHome({ models: [summary], verdicts, changes: [change], cards: [card], predictions: 1, labelled: 1 }),
  empty: renderHome({ models: [], verdicts: [], changes: [], cards: [], predictions: 0, labelled: 0 }),
  model: renderModel(model),
  unjudged: renderModel({ ...model, verdicts: [] }),
  classes: renderModel({ ...model, verdicts: classified }),
  numbers: renderModel({ ...model, verdicts: numbers }),
  changes: renderChanges([change], [{ title: EVIL, state: 'held', reason: EVIL, at: '' }]),
  cards: renderCards([card]),
};

describe.each(Object.entries(pages))('page %s', (_, body) => {
  const page = renderPage({
    title: EVIL,
    current: 'models',
    problems: [EVIL],
    refresh: { why: 'counting', stop: '?refresh=off' },
    body,
  });

  test('escapes every name from outside and needs no script', () => {
    expect(page).not.toContain('<script');
    expect(page).not.toContain('javascript:');
    expect(page).toContain('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&#39;&amp;');
    expect(page).not.toContain('undefined');
    expect(page).not.toContain('[object');
  });

  test('closes what it opens', () => {
    const open: string[] = [];
    for (const [, closing, name, rest] of page.matchAll(/<(\/?)([a-z0-9]+)((?:"[^"]*"|[^">])*)>/gi)) {
      const tag = (name ?? '').toLowerCase();
      if (['meta', 'link', 'br', '!doctype'].includes(tag) || rest?.endsWith('/')) continue;
      if (closing === '') open.push(tag);
      else expect(open.pop()).toBe(tag);
    }
    expect(open).toEqual([]);
  });
});

test.each([
  ['change', 'A change is under way: this page renews itself every 5 seconds.'],
  ['judged', 'A window was judged within the last minute: this page'],
  ['telling', 'A message or a retrain request is on its way: this page'],
] as const)('a page that renews itself says why: %s', (why, sentence) => {
  const body = html`<p></p>`;
  const page = { title: 'Models', current: 'models', problems: [], body } as const;
  expect(renderPage({ ...page, refresh: { why, stop: '?refresh=off' } })).toContain(sentence);
  expect(renderPage({ ...page, refresh: undefined })).not.toContain('renews itself');
});

test('each chart has a title, a description, a caption and its numbers as a table', () => {
  const text = pages.model.html;
  expect(text.match(/<figure>/g)).toHaveLength(2);
  for (const part of [
    /role="img" aria-labelledby="auc-t auc-d"/,
    /<title id="ks-t">/,
    /<desc id="auc-d">/,
    /<figcaption><h3>AUC<\/h3><p>AUC is 0\.890 in 2026Q1 \(version 2\); the lowest was 0\.800 in 2025Q4 \(version 1\)\./,
    /Numbers of this chart/,
  ]) {
    expect(text).toMatch(part);
  }
  expect(text).toContain('not enough data');
});

test('a model that predicts a number shows its errors, of which the highest is the worst', () => {
  const text = pages.numbers.html;
  expect(text).toContain('<p>Mean absolute error is 14.000 in 2026Q1 (version 2).');
  expect(text).toMatch(/<figcaption><h3>R²<\/h3>/);
  expect(text).toMatch(/<h2 id="errors">Errors<\/h2>.*RMSE/s);
  expect(text).not.toContain('id="auc-t"');
  const rules = `apiVersion: fairway.dev/v1
kind: Policy
model: m
period: { every: quarter, coverageFloor: 0 }
minimum: { rows: 1, events: 1, rowsPerBin: 1 }
rules: [{ id: e, metric: mae, compare: relative-decay, op: '>', limit: 0.25, severity: alert }]
notify: { on: [] }
`;
  const regression = { prediction: {}, performance: { rows: 9, mae: 8, rmse: 9, rSquared: 0.5 } };
  const baselines = new Map([['2', { regression } as unknown as Baseline]]);
  const chart = performanceChart({ verdicts: numbers, baselines, policy: parsePolicy(rules, 'm') }, 'mae');
  expect(chart.points.at(-1)).toMatchObject({ value: 14, baseline: 8, limit: 10 });
  // The larger an error, the higher it stands, and the ticks reach beyond it.
  const heights = [...lineSvg(chart).matchAll(/<text class="value" x="[\d.]+" y="([\d.]+)"/g)].map(([, y]) =>
    Number(y),
  );
  expect(heights).toEqual(heights.toSorted((a, b) => b - a));
  expect(new Set(heights).size).toBe(numbers.length);
  expect(lineSvg(chart)).toMatch(/text-anchor="end">16<\/text>/);
  expect(chart.finding).toMatch(/, 75\s% above its baseline\.$/);
});

test('a version whose training data held no scores has no line to be held against, rather than one at nothing', () => {
  const bare = { performance: { auc: 0, ks: 0, rows: 0, events: 0 }, scores: [] } as unknown as Baseline;
  const baselines = new Map(verdicts.map(({ window }) => [window.version, bare]));
  for (const series of ['auc', 'ks'] as const) {
    const { points } = performanceChart({ verdicts, baselines, policy: undefined }, series);
    expect(points.map(({ baseline, limit }) => [baseline, limit])).toEqual(verdicts.map(() => [null, null]));
  }
});

test('a window that could not be held against every rule says which, and why', () => {
  expect(pages.model.html).toContain('<li>gini could not be evaluated. &lt;script&gt;');
  expect(pages.model.html).toContain('Not every rule of the policy could be evaluated: nothing is cleared.');
});

test('a retraining is finished where a deploy is live', () => {
  const body = (kind: 'deploy' | 'retrain') => renderChanges([{ ...change, kind }], []).html;
  expect(body('retrain')).toContain('<li>finished</li>');
  expect(body('retrain')).not.toContain('<li>live</li>');
  expect(body('deploy')).toContain('<li>live</li>');
});

test('only web addresses become links', () => {
  expect(externalLink('https://x.test/a?b=1&c', 'there').html).toBe('<a href="https://x.test/a?b=1&amp;c">there</a>');
  expect(externalLink('data:text/html,x', 'there').html).toBe('there');
  expect(html`${[1, html`<b>`, null, '<']}`.html).toBe('1<b>&lt;');
});

/** WCAG relative luminance of #rgb or #rrggbb. */
function luminance(colour: string): number {
  const hex = colour.length === 4 ? colour.slice(1).replaceAll(/./g, '$&$&') : colour.slice(1);
  const [r = 0, g = 0, b = 0] = [0, 2, 4].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function contrast(a: string, b: string): number {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

describe.each([
  ['light', 0],
  ['dark', 1],
] as const)('in the %s theme', (_, index) => {
  const blocks = [...STYLE.matchAll(/:root\{([^}]*)\}/g)].map(([, block]) => block ?? '');
  const colours = Object.fromEntries(
    [...(blocks[index] ?? '').matchAll(/--([a-z0-9-]+):(#[0-9a-f]+)/g)].map(([, name, value]) => [name, value ?? '']),
  );
  const text: Array<[string, string]> = [
    ['text', 'ground'],
    ['text', 'panel'],
    ['soft', 'ground'],
    ['soft', 'panel'],
    ['soft', 'track'],
    ['text', 'track'],
    ['link', 'panel'],
    ['link', 'ground'],
    ['panel', 'link'],
    ...['healthy', 'warning', 'alert', 'insufficient'].flatMap(
      (state): Array<[string, string]> => [
        [state, `${state}-ground`],
        [state, 'panel'],
      ],
    ),
    ['link', 'open-ground'],
    ['text', 'heat1'],
    ['on-heat', 'heat2'],
    ['on-heat', 'heat3'],
  ];
  test.each(text)('%s on %s reads at 4.5:1', (front, back) => {
    expect(contrast(colours[front] ?? '', colours[back] ?? '')).toBeGreaterThanOrEqual(4.5);
  });
  test.each(['auc', 'ks', 'whisker', 'bar'])('the mark %s stands out at 3:1', (mark) => {
    expect(contrast(colours[mark] ?? '', colours['panel'] ?? '')).toBeGreaterThanOrEqual(3);
  });
});

test('the segments in which the newest window does worst stand on the page of the model', () => {
  const segment = { where: { [EVIL]: 'a' }, labelled: 1200, eventRate: 0.25 };
  const figures = { metric: 'auc' as const, value: 0.5, interval: [0.4, 0.6] as const, overall: 0.8 };
  const page = (segments: NonNullable<Verdict['segments']>) =>
    renderModel({ ...model, verdicts: [...verdicts.slice(0, -1), { ...(verdicts.at(-1) as Verdict), segments }] }).html;
  const found = page([{ ...segment, ...figures }]);
  expect(found).toContain('Worst segments in 2026Q1');
  expect(found).toContain('AUC 0.5000 (0.4000 to 0.6000) against 0.8000 of all, on 1,200 labelled rows, 25.0 % events');
  expect(found).not.toContain('<script>alert');
  expect(page([])).toContain('No segment does worse');
  expect(pages.model.html).not.toContain('Worst segments');
});

test('a model of several classes shows accuracy and the recall of each class, not a ranking', () => {
  const page = pages.classes.html;
  for (const text of [
    'Balanced accuracy',
    '0.813',
    'Recall of oak',
    'Recall of &lt;script&gt;',
    'Cohen&#39;s kappa 0.600',
  ])
    expect(page).toContain(text);
  expect(page).not.toContain('<h3>AUC</h3>');
  expect(page).toContain('<h3>Accuracy</h3>');
});
