import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../objects.ts';
import { POD } from '../kinds.ts';
import { parseFieldSelector, parseLabelSelector, selects } from './selectors.ts';

const object = (labels: Record<string, string>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'x', namespace: 'ns', uid: '1', resourceVersion: '1', creationTimestamp: '', labels },
  status: { phase: 'Running' },
});

describe('parseLabelSelector', () => {
  it.each([
    ['', true],
    ['a=1', true],
    ['a==1,b!=3', true],
    ['a=2', false],
    ['c', false],
    ['!c', true],
    ['a in (0, 1),b notin (9)', true],
    ['c notin (9)', true],
    ['fairway.dev/model=m', true],
  ])('%s: %s', (text, result) =>
    expect(parseLabelSelector(text)(object({ a: '1', b: '2', 'fairway.dev/model': 'm' }))).toBe(result),
  );
  it.each(['a=b=c', 'a in b', '='])('refuses %s', (text) => expect(() => parseLabelSelector(text)).toThrow());
});

describe('parseFieldSelector', () => {
  it.each([
    ['metadata.name=x,status.phase=Running', true],
    ['metadata.name!=x', false],
    ['spec.nodeName=', true],
  ])('%s: %s', (text, result) => expect(parseFieldSelector(text, POD)(object({}))).toBe(result));
});

describe('selects', () => {
  it.each([
    [{}, true],
    [{ matchLabels: { a: '1' } }, true],
    [{ matchLabels: { a: '2' } }, false],
    [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['1', '2'] }] }, true],
    [{ matchExpressions: [{ key: 'b', operator: 'Exists' }] }, false],
  ])('%j: %s', (selector, result) => expect(selects(selector, { a: '1' })).toBe(result));
});
