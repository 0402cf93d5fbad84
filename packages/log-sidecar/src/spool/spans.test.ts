import { expect, test } from 'vitest';
import type { Span } from '../ports.ts';
import { Spans } from './spans.ts';

const span = (seq: number, version: string, label?: string): Span => ({
  seq,
  startedAt: seq + 0.25,
  endedAt: seq + 0.5,
  version,
  source: 'status',
  ...(label === undefined ? {} : { label }),
});

test('spans come back as they were added, one by one or with all that another one holds', () => {
  const all = [span(1, '1'), span(2, '1'), span(3, '2'), span(4, '2', 'stable'), span(5, '2', 'stable'), span(6, '2')];
  for (let cut = 0; cut <= all.length; cut++) {
    const [spans, later] = [new Spans(), new Spans()];
    for (const one of all.slice(0, cut)) spans.add(one);
    for (const one of all.slice(cut)) later.add(one);
    spans.addAll(later);
    expect([...spans]).toEqual(all);
    expect([...later]).toEqual(all.slice(cut));
  }
});

test('spans that were cleared take others, however many were in them', () => {
  const spans = new Spans();
  for (const count of [200, 3, 500]) {
    const all = Array.from({ length: count }, (_, i) => span(i + count, i < 2 ? '1' : '2'));
    for (const one of all) spans.add(one);
    expect([...spans]).toEqual(all);
    spans.clear();
    expect([...spans]).toEqual([]);
  }
});
