import { gzipSync } from 'node:zlib';
import { type Baseline, encodeExchange, type ModelVersion, type Pack, silentLogger } from '@fairway/core';
import { expect, test } from 'vitest';
import type { EarlyLabel, PackStore, Recording } from '../ports.ts';
import { nameKey } from './class-answer.ts';
import { PREDICT_HEAD } from './predict-head.ts';
import { recordPack } from './record-pack.ts';

const exchange = {
  head: PREDICT_HEAD,
  request: Buffer.from('{"instances": [{"a": 1}]}'),
  response: Buffer.from('{"predictions": [{"p": [0.2, 0.8]}]}'),
};
const pack: Pack = {
  v: 1,
  packId: 'p',
  agent: 'a',
  epoch: 'e',
  first: 1,
  last: 1,
  exchanges: 1,
  dropped: {},
  payload: gzipSync(encodeExchange(exchange)).toString('base64'),
};

const target = { variable: 'y', event: '1', probability: 'p' } as const;
const KINDS = {
  events: { target, baseline: {} },
  number: { target: { ...target, level: 'interval' }, baseline: {} },
  classes: {
    target,
    baseline: { classification: { classes: ['a', 'b'], columns: [], predicted: [1, 1], heldOut: {} } },
  },
} as const;

/** What a label that waited became on the row of a model of this kind, and what was said of it. */
async function waited(kind: keyof typeof KINDS, label: Pick<EarlyLabel, 'label' | 'name'>) {
  const rows: Recording['predictions'][number][] = [];
  const store: PackStore = {
    prepare: async () => {},
    known: async () => [],
    quarantine: async () => {},
    once: async (_, work) => {
      await work({
        takeEarlyLabels: async () => [{ key: 'x-0', observedAt: null, ...label }],
        write: async ({ predictions }) => void rows.push(...predictions),
      });
      return 'stored';
    },
  };
  const said: unknown[] = [];
  const log = { ...silentLogger, warn: (fields: object, text: string) => void said.push({ ...fields, text }) };
  const modelVersion = { variables: [], target: KINDS[kind].target } as unknown as ModelVersion;
  const baseline = { variables: [], ...KINDS[kind].baseline } as unknown as Baseline;
  await recordPack({ store, references: async () => ({ modelVersion, baseline }), log }, pack);
  return { label: rows[0]?.label, said };
}

const GIVEN_UP = [{ pack: 'p', labels: 1, key: 'x-0', text: 'waiting labels given up: not of this model' }];

test.each<[what: string, kind: keyof typeof KINDS, label: Pick<EarlyLabel, 'label' | 'name'>]>([
  ['a number for a model of events', 'events', { label: 7 }],
  ['a name for a model of numbers', 'number', { label: nameKey(1), name: 'rose' }],
  ['what is no class for a model of classes', 'classes', { label: 1.5 }],
])('a label that waited and that the model cannot have is told: %s', async (_, kind, label) => {
  expect(await waited(kind, label)).toEqual({ label: null, said: GIVEN_UP });
});

test.each<[kind: keyof typeof KINDS, label: Pick<EarlyLabel, 'label' | 'name'>, kept: number]>([
  ['events', { label: 1 }, 1],
  ['number', { label: 7 }, 7],
  ['classes', { label: nameKey(1), name: 'b' }, 1],
])('a label that waited for a model of %s is kept', async (kind, label, kept) => {
  expect(await waited(kind, label)).toEqual({ label: kept, said: [] });
});
