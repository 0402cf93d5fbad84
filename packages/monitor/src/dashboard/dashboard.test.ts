import type { Verdict } from '@fairway/core';
import { describe, expect, test } from 'vitest';
import { renderCards } from './cards-page.ts';
import { renderChanges } from './changes-page.ts';
import { renderHome } from './home.ts';
import { externalLink, html } from './html.ts';
import { renderPage } from './layout.ts';
import { renderModel } from './model-page.ts';
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
  changes: renderChanges([change], [{ title: EVIL, state: 'held', reason: EVIL, at: '' }]),
  cards: renderCards([card]),
};

describe.each(Object.entries(pages))('page %s', (_, body) => {
  const page = renderPage({
    title: EVIL,
    current: 'models',
    problems: [EVIL],
    refresh: { stop: '?refresh=off' },
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
