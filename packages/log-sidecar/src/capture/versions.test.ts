import { describe, expect, test } from 'vitest';
import { decideVersions } from './sealer.ts';
import { combine, UNKNOWN, VersionHistory } from './versions.ts';

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

  test('a pack waits for evidence as long as there is time', () => {
    const observed = history([0, 1, ['1']]);
    expect(decideVersions({ spans: [span(1, 2, '1')] }, observed, false)).toBeUndefined();
    expect(decideVersions({ spans: [span(1, 2, '1')] }, observed, true)).toEqual([]);
  });
});
