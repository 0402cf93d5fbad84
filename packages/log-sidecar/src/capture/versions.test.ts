import { describe, expect, test } from 'vitest';
import { decideVersions } from './sealer.ts';
import { combine, labelOf, UNKNOWN, VersionHistory } from './versions.ts';

const STATUS_1 = { version: '1', source: 'status' } as const;

/** Observations `[sent, received, versions]`. */
function history(...observations: Array<[number, number, string[]]>): VersionHistory {
  const made = new VersionHistory();
  for (const [sentAt, receivedAt, versions] of observations) made.observe({ sentAt, receivedAt, versions });
  return made;
}

describe('which version answered', () => {
  test.each([
    ['one version before and after', history([0, 1, ['1']], [10, 11, ['1']]), STATUS_1],
    ['nothing observed before: what comes first counts', history([10, 11, ['1']]), STATUS_1],
    ['still loading before', history([0, 1, []], [10, 11, ['1']]), STATUS_1],
    ['two available before', history([0, 1, ['1', '2']], [10, 11, ['2']]), { version: '2', source: 'ambiguous' }],
    [
      'a roll between the observations',
      history([0, 1, ['9']], [10, 11, ['10']]),
      { version: '10', source: 'ambiguous' },
    ],
    [
      'a roll long before',
      history([-9, -8, ['1']], [0, 1, ['2']], [10, 11, ['2']]),
      { version: '2', source: 'status' },
    ],
    ['a roll long after', history([0, 1, ['1']], [10, 11, ['1']], [20, 21, ['2']]), STATUS_1],
    ['never available', history([0, 1, []], [10, 11, []]), UNKNOWN],
  ])('%s', (_, observed, expected) => {
    expect(observed.during(3, 7)).toEqual(expected);
  });

  test('no answer until an observation began after the end', () => {
    const observed = history([0, 1, ['1']], [6, 9, ['1']]);
    expect(observed.during(3, 7)).toBeUndefined();
    expect(observed.atBest(3, 7)).toEqual(STATUS_1);
    expect(history().atBest(3, 7)).toEqual(UNKNOWN);
    expect(history().during(3, 7)).toBeUndefined();
  });

  test('what was written and what was observed agree, complete or contradict each other', () => {
    expect(combine(UNKNOWN, STATUS_1)).toEqual(STATUS_1);
    expect(combine(STATUS_1, UNKNOWN)).toEqual(STATUS_1);
    expect(combine(STATUS_1, STATUS_1)).toEqual(STATUS_1);
    expect(combine(STATUS_1, { version: '2', source: 'status' })).toEqual({ version: '2', source: 'ambiguous' });
  });
});

describe('a label', () => {
  const LABEL_3 = { version: '3', source: 'label' } as const;
  const at = (sentAt: number, ...versions: string[]) => ({ sentAt, receivedAt: sentAt + 1, versions });

  test.each([
    ['/v1/models/m/labels/stable:predict', 'stable'],
    ['/V1/Models/m/Labels/a%20b:Classify', 'a%20b'],
    ['/v1/models/m/versions/1:predict', undefined],
    ['/v1/models/m:predict', undefined],
  ])('%s', (target, label) => {
    expect(labelOf(target)).toBe(label);
  });

  test('is asked about once it was used, and answers by what it stood for', () => {
    const observed = history([0, 1, ['3', '4']]);
    expect(observed.labelsInUse()).toEqual([]);
    observed.observeLabel('stable', at(0, '3'));
    expect(observed.current('stable')).toEqual(UNKNOWN);
    expect(observed.labelsInUse()).toEqual(['stable']);
    expect(observed.during(3, 7, 'stable')).toBeUndefined();
    observed.observeLabel('stable', at(8, '3'));
    expect(observed.during(3, 7, 'stable')).toEqual(LABEL_3);
    expect(observed.current('stable')).toEqual(LABEL_3);
    expect(observed.current()).toEqual({ version: '4', source: 'ambiguous' });
    observed.observeLabel('stable', at(20, '4'));
    expect(observed.during(10, 15, 'stable')).toEqual({ version: '4', source: 'ambiguous' });
  });

  test('that stands for nothing is settled as unknown, and so is one that nobody observed', () => {
    const observed = history([0, 1, ['3']]);
    observed.current('no');
    observed.observeLabel('no', at(8));
    expect(observed.during(3, 7, 'no')).toEqual(UNKNOWN);
    expect(observed.atBest(3, 7, 'other')).toEqual(UNKNOWN);
  });

  test('is forgotten when others or idleness take its place', () => {
    const observed = new VersionHistory();
    for (let i = 0; i < 20; i++) observed.current(`l${i}`);
    observed.current('l5');
    expect(observed.labelsInUse()).toHaveLength(16);
    expect(observed.labelsInUse().slice(0, 2)).toEqual(['l5', 'l19']);
    expect(observed.labelsInUse()).not.toContain('l3');
    for (let round = 0; round < 400; round++) observed.labelsInUse();
    expect(observed.labelsInUse()).toEqual([]);
  });
});

describe('settling a pack', () => {
  const span = (seq: number, at: number, version: string) => ({
    seq,
    startedAt: at,
    endedAt: at + 1,
    version,
    source: version === '' ? ('ambiguous' as const) : ('status' as const),
  });

  test('nothing to correct when the evidence confirms what was written', () => {
    const observed = history([0, 1, ['1']], [10, 11, ['1']]);
    expect(decideVersions({ spans: [span(1, 2, '1'), span(2, 4, '1')] }, observed, false)).toEqual([]);
  });

  test('unknown and rolled versions are corrected in ranges', () => {
    const observed = history([4, 5, ['1']], [10, 11, ['1']], [20, 21, ['2']], [30, 31, ['2']]);
    const spans = [span(1, 2, ''), span(2, 3, ''), span(3, 7, '1'), span(4, 12, '1'), span(5, 22, '2')];
    expect(decideVersions({ spans }, observed, false)).toEqual([
      [1, 2, '1', 'status'],
      [4, 4, '2', 'ambiguous'],
    ]);
  });

  test('what a label stood for then decides, not the status', () => {
    const observed = history([0, 1, ['1', '2']], [10, 11, ['1', '2']]);
    const asked = { ...span(1, 4, ''), label: 'stable' };
    observed.current('stable');
    expect(decideVersions({ spans: [asked] }, observed, false)).toBeUndefined();
    observed.observeLabel('stable', { sentAt: 10, receivedAt: 11, versions: ['1'] });
    expect(decideVersions({ spans: [asked] }, observed, false)).toEqual([[1, 1, '1', 'label']]);
  });

  test('a pack waits for evidence as long as there is time', () => {
    const observed = history([0, 1, ['1']]);
    expect(decideVersions({ spans: [span(1, 2, '1')] }, observed, false)).toBeUndefined();
    expect(decideVersions({ spans: [span(1, 2, '1')] }, observed, true)).toEqual([]);
  });
});
