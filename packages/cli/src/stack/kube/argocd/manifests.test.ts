import { describe, expect, it } from 'vitest';
import { parseManifests } from './manifests.ts';

describe('parseManifests', () => {
  it('reads every document and drops nulls and empty documents', () => {
    const text =
      'apiVersion: v1\nkind: Service\nmetadata: {name: a, creationTimestamp: null}\n---\n---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: b}\n';
    expect(parseManifests(text).map(({ object }) => object)).toEqual([
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' } },
      { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'b' } },
    ]);
  });
  it.each([
    ['a: [', /not valid YAML/],
    ['kind: Service', /no apiVersion and kind/],
    ['apiVersion: v9\nkind: Wonder\nmetadata: {name: a}', /could not find v9\/Wonder/],
    ['apiVersion: v1\nkind: Service\nmetadata: {}', /no metadata.name/],
  ])('refuses %j', (text, reason) => expect(() => parseManifests(text)).toThrow(reason));
});
