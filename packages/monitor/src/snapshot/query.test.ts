import type { ModelVersion } from '@fairway/core';
import { expect, it } from 'vitest';
import { snapshotQuery } from './query.ts';

const BOUNDS = { model: 'm', version: '1', environment: 'prod', start: '2026-01-01', end: '2026-04-01' };
const version = (...inputs: string[]) =>
  ({
    variables: inputs.map((name) => ({ name, type: 'decimal', role: 'input' })),
    target: { variable: 'BAD', event: '1', probability: 'P' },
  }) as unknown as ModelVersion;

it('reads the JSON once for all cells, and leaves odd names to the exact function', () => {
  const query = snapshotQuery(BOUNDS, version('LOAN', 'a"b', '$x', 'n'.repeat(64)));
  expect(query).toContain('json_to_record(p.inputs) as c("LOAN" text, "a""b" text) where');
  expect(query).toContain(`monitoring.input_cell(p.inputs, '$x') as "$x"`);
  expect(query).toContain(`monitoring.input_cell(p.inputs, '${'n'.repeat(64)}') as`);
  expect(query).toMatch(/order by p\.time, p\.id collate "C"$/);
});

it('needs no record without inputs', () => {
  expect(snapshotQuery(BOUNDS, version())).not.toContain('json_to_record');
});
