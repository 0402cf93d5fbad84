import type { StoredBacktest } from '@fairway/monitor';
import { table } from './table.ts';

/** A back-test for people: each window with what was and what would be said, then the sentences. */
export function backtestText({ windows, problems, summary }: StoredBacktest): string {
  const rows = windows.map(({ period, version, environment, rows: n, before, state, retrain, findings }) => [
    period,
    `v${version}`,
    environment,
    `${n} rows`,
    before === null || before === state ? state : `${before} → ${state}`,
    retrain === 'opened' ? 'pull request' : '',
    [...new Set(findings.map(({ rule }) => rule))].join(', '),
  ]);
  return [...(rows.length === 0 ? [] : [table(rows, '  ')]), ...problems, summary].join('\n');
}
