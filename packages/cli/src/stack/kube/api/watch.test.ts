import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../objects.ts';
import type { StoreEvent } from '../store/store.ts';
import { seenThrough } from './watch.ts';

const object = (colour: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'x', uid: '1', resourceVersion: '1', creationTimestamp: '', labels: { colour } },
});
const red = ({ metadata }: KubeObject) => metadata.labels?.['colour'] === 'red';
const event = (type: StoreEvent['type'], now: string, before?: string): StoreEvent => ({
  type,
  version: 1,
  kind: '/ConfigMap',
  object: object(now),
  ...(before === undefined ? {} : { previous: object(before) }),
});

describe('seenThrough a selector', () => {
  it.each([
    ['created and matching', event('ADDED', 'red'), 'ADDED'],
    ['created and not matching', event('ADDED', 'blue'), undefined],
    ['changed, still matching', event('MODIFIED', 'red', 'red'), 'MODIFIED'],
    ['begins to match', event('MODIFIED', 'red', 'blue'), 'ADDED'],
    ['ceases to match', event('MODIFIED', 'blue', 'red'), 'DELETED'],
    ['never matched', event('MODIFIED', 'blue', 'green'), undefined],
    ['removed while matching', event('DELETED', 'red', 'red'), 'DELETED'],
    ['removed, never matched', event('DELETED', 'blue', 'blue'), undefined],
  ])('%s: %s', (_, change, type) => expect(seenThrough(change, red)?.type).toBe(type));
});
