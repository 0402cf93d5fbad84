import { expect, it } from 'vitest';
import type { Repository } from '../ports.ts';
import { readModelFile } from './catalogue.ts';

const modelYaml = (model: string, replicas: number): string => `apiVersion: fairway.dev/v1
kind: Model
name: ${model}
owner: credit-risk@example.com
source: { registry: directory }
serving: { replicas: ${replicas} }
environments:
  - { name: prod, namespace: ${model}-prod, merge: review }
`;

it('parses a blob once, and keeps one of parts that say the same', async () => {
  const texts = new Map([
    ['a', modelYaml('a', 1)],
    ['b', modelYaml('b', 1)],
    ['c', modelYaml('c', 2)],
  ]);
  const read = (_: string, path: string) => {
    const text = texts.get(path.split('/')[1] ?? '');
    return Promise.resolve(text === undefined ? undefined : { text, blob: text });
  };
  const repository = { read } as unknown as Repository;
  const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((model) => readModelFile(repository, 'head', model)));
  expect(await readModelFile(repository, 'later', 'a')).toBe(a);
  expect(a?.serving['prod']).toBe(b?.serving['prod']);
  expect(a?.serving['prod']).not.toBe(c?.serving['prod']);
  expect([a?.serving['prod']?.replicas, c?.serving['prod']?.replicas]).toEqual([1, 2]);
  expect([a?.name, b?.name, b?.environments[0]?.namespace]).toEqual(['a', 'b', 'b-prod']);
});
