import { type Baseline, canonicalJson } from '@fairway/core';
import { expect, test } from 'vitest';
import { parsePolicy } from '../policy/parse.ts';
import type { StoredEvidence } from '../ports/evidence.ts';
import type { WindowCounts } from '../ports.ts';
import { evidenceOf, replay } from './evidence.ts';
import { judge } from './judge.ts';

/** Verdicts as the program of judging 3 stored them (commit 24d2044): what it judged from, and the very bytes. */
const POLICY = `apiVersion: fairway.dev/v1
kind: Policy
model: m
period: { every: month, coverageFloor: 0.8 }
minimum: { rows: 100, events: 20, rowsPerBin: 10 }
rules:
  - { id: auc-decay, metric: auc, compare: relative-decay, op: '>', limit: 0.04, guard: { z: 0.5 }, severity: alert }
  - { id: brier-rise, metric: brier, compare: absolute-decay, op: '>', limit: 0.01, severity: warning }
  - { id: calibration-decay, metric: calibration, compare: relative-decay, op: '>', limit: 0.1, severity: warning }
  - { id: input-psi, metric: psi, scope: each-input, op: '>=', limit: 0.1, guard: { noise: 0.99 }, severity: warning }
segments:
  - { id: weak, metric: auc, limit: 0.05, minimum: { rows: 50, events: 10 }, guard: { p: 0.05 }, severity: warning }
notify: { on: [] }
`;
const CALIBRATION = POLICY.replace(
  /rules:[^]*notify/,
  "rules:\n  - { id: calibration-decay, metric: calibration, compare: relative-decay, op: '>', limit: 0.1, severity: warning }\nnotify",
);
const counts: WindowCounts = {
  variables: {
    '$segment/0': [
      [334, 300],
      [335, 10],
      [484, 20],
      [485, 70],
      [637, 150],
      [638, 60],
      [787, 150],
      [788, 40],
    ],
    x: [
      [0, 400],
      [1, 400],
    ],
  },
  scores: [
    [1000, 0, 450, 70],
    [6000, 0, 170, 110],
  ],
};
const baseline: Baseline = {
  definition: 1,
  model: 'm',
  version: '1',
  rows: 2000,
  events: 400,
  source: '',
  variables: [{ kind: 'category', name: 'x', categories: ['a', 'b'], counts: [1000, 1000, 0], n: 2000, missing: 0 }],
  performance: { auc: 0.7, ks: 0.4, rows: 500, events: 100 },
  scores: [
    [1000, 350, 40],
    [6000, 40, 70],
  ],
  segments: ['x'],
};
const ALERT =
  '{"counts":"2e89f58e268b7f7998d3533f62afb8758603c6d68d63c397aef824d70c28e475","findings":[{"limit":0.04,"message":"AUC is 0.668: it lost 4.5 % against its baseline, limit 4.0 % (800 rows).","metric":"auc","op":">","rule":"auc-decay","sample":800,"severity":"alert","value":0.04505888376856108},{"limit":0.01,"message":"Brier score is 0.175: it rose by 0.052 against its baseline, limit 0.010 (800 rows).","metric":"brier","op":">","rule":"brier-rise","sample":800,"severity":"warning","value":0.05200599999999997},{"limit":0.05,"message":"AUC where x b is 0.450: 0.218 below the 0.668 of all, limit 0.050 (400 labelled rows; p = 9.9e-15).","metric":"auc","op":">=","p":9.905292989328915e-15,"rule":"weak","sample":400,"severity":"warning","value":0.2184587813620072,"variable":"x b"}],"id":"4adf5ad1e1a8cf99716a","metrics":{"auc":0.6684587813620072,"aucInterval":[0.6286615864861625,0.7082559762378519],"brier":0.17500500249999998,"eventRate":0.225,"events":180,"gini":0.3369175627240144,"ks":0.33691756272401435,"labelled":800,"meanScore":0.27505,"missing":{"x":0},"predictions":800,"psi":{"x":0},"psiWithMissing":{"x":0},"scorePsi":0.0840615314402568},"policy":"b10b","segments":[{"eventRate":0.25,"interval":[0.3940434330145622,0.5059565669854378],"labelled":400,"metric":"auc","overall":0.6684587813620072,"value":0.45,"where":{"x":"b"}}],"state":"alert","window":{"end":"2026-04-01T00:00:00.000Z","environment":"prod","model":"m","period":"2026-03","start":"2026-03-01T00:00:00.000Z","version":"1"}}';
const INSUFFICIENT =
  '{"counts":"2e89f58e268b7f7998d3533f62afb8758603c6d68d63c397aef824d70c28e475","findings":[],"id":"4adf5ad1e1a8cf99716a","metrics":{"auc":0.6684587813620072,"aucInterval":[0.6286615864861625,0.7082559762378519],"brier":0.17500500249999998,"eventRate":0.225,"events":180,"gini":0.3369175627240144,"ks":0.33691756272401435,"labelled":800,"meanScore":0.27505,"missing":{"x":0},"predictions":800,"psi":{"x":0},"psiWithMissing":{"x":0},"scorePsi":0.0840615314402568},"policy":"b10b","state":"insufficient","window":{"end":"2026-04-01T00:00:00.000Z","environment":"prod","model":"m","period":"2026-03","start":"2026-03-01T00:00:00.000Z","version":"1"}}';
const window = {
  model: 'm',
  version: '1',
  environment: 'prod',
  period: '2026-03',
  start: '2026-03-01T00:00:00.000Z',
  end: '2026-04-01T00:00:00.000Z',
};

const stored = (verdict: string, text: string): StoredEvidence => ({
  verdict,
  counts,
  earlier: [],
  baseline,
  policy: { blob: 'b10b', text },
  judging: 3,
});
const today = (text: string) => {
  const evidence = { window, counts, earlier: [], baseline, policy: parsePolicy(text, 'm'), blob: 'b10b' };
  return { verdict: judge(evidence), kept: evidenceOf(evidence, { blob: 'b10b', text }) };
};

test.each([
  ['alert', ALERT, POLICY],
  ['insufficient', INSUFFICIENT, CALIBRATION],
])('a stored verdict of judging 3 (%s) is replayed byte for byte', (_, verdict, text) => {
  expect(replay(stored(verdict, text))).toMatchObject({ equal: true, differences: [], again: verdict });
  // Kept without its number it is found again too, and it is not excused by another one.
  expect(replay({ ...stored(verdict, text), judging: null }).equal).toBe(true);
  expect(replay({ ...stored(verdict, text), judging: 4 }).equal).toBe(false);
});

test('the same evidence is judged alike today, under an id of its own, and says what it could not answer', () => {
  const { verdict, kept } = today(POLICY);
  const before = JSON.parse(ALERT) as typeof verdict;
  expect(kept.judging).toBe(4);
  expect(verdict.id).not.toBe(before.id);
  const reason =
    "No share of mean score minus event rate can be lost: the reference figure, of the baseline's held-out rows, is -0.010, and a share is of what lies above 0. Use compare: absolute-decay, or a limit on calibration itself.";
  const unanswered = [{ rules: ['calibration-decay'], lacks: 'reference', reason }];
  expect(verdict.unanswered).toEqual(unanswered);
  const compared = verdict.findings.map(({ rule, value, compared: one }) => [rule, value, one]);
  const auc = verdict.metrics.auc ?? 0;
  expect(compared).toEqual([
    ['auc-decay', (0.7 - auc) / 0.7, { as: 'relative-decay', figure: auc, against: 0.7 }],
    [
      'brier-rise',
      expect.closeTo(0.052006, 12),
      { as: 'absolute-decay', figure: verdict.metrics.brier, against: expect.closeTo(0.122999, 6) },
    ],
    ['weak', auc - 0.45, { as: 'segment', figure: 0.45, against: auc }],
  ]);
  expect(before.findings.some((one) => one.compared !== undefined)).toBe(false);
  expect([verdict.state, verdict.metrics, verdict.findings.map(({ message }) => message)]).toEqual([
    before.state,
    before.metrics,
    before.findings.map(({ message }) => message),
  ]);
  expect(today(CALIBRATION).verdict).toMatchObject({ state: 'insufficient', findings: [], unanswered });
  expect(replay({ ...stored(canonicalJson(verdict), POLICY), judging: 4 }).equal).toBe(true);
});
