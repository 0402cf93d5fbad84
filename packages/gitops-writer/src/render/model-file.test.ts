import { describe, expect, it } from 'vitest';
import { environmentOf, parseModelFile } from './model-file.ts';

const good = `apiVersion: fairway.dev/v1
kind: Model
name: m
owner: team@example.com
source: { registry: directory }
environments:
  - { name: dev, namespace: m-dev, merge: auto }
`;
const problem = (text: string) => {
  try {
    parseModelFile('m', text);
  } catch (error) {
    return (error as Error).message;
  }
  return 'no problem';
};

describe('model.yaml', () => {
  it('fills in what may be left out', () => {
    expect(parseModelFile('m', good)).toEqual({
      name: 'm',
      owner: 'team@example.com',
      trustEventTime: false,
      replicas: 1,
      environments: [{ name: 'dev', namespace: 'm-dev', merge: 'auto', application: 'm-dev' }],
    });
  });

  it.each([
    ['an unknown key', `${good}colour: red\n`, 'models/m/model.yaml is not usable: unknown key "colour".'],
    [
      'an unknown key within',
      good.replace('merge: auto', 'merge: auto, foo: 1'),
      'environments[0] has unknown key "foo"',
    ],
    ['a duplicate key', `${good}owner: b\n`, 'Map keys must be unique'],
    [
      'an anchor',
      good.replace('owner: team@example.com', 'owner: &a x\nkind2: *a'),
      'anchors and aliases are not allowed',
    ],
    ['another folder', good.replace('name: m\n', 'name: n\n'), 'name is "n" but the folder is "m"'],
    ['another namespace', good.replace('m-dev', 'x'), 'environment dev must use namespace m-dev'],
    ['a mutable image', `${good}retrain: { image: trainer:latest, gateMargin: 0.01 }\n`, 'must be pinned by digest'],
    ['a wrong merge rule', good.replace('auto', 'never'), 'environments[0].merge'],
    ['a bad name', good.replaceAll(/\bdev\b(?=[,-])|(?<=m-)dev/g, 'De_v'), 'Environment "De_v" is not usable'],
    ['no YAML', 'a: [', 'models/m/model.yaml is not usable'],
    ['nothing', '', 'models/m/model.yaml is not usable'],
  ])('refuses %s in a sentence', (_, text, sentence) => {
    expect(problem(text)).toContain(sentence);
    expect(problem(text)).toMatch(/\.$/);
  });

  it('names the known environments', () => {
    expect(() => environmentOf(parseModelFile('m', good), 'prod')).toThrow(
      'has no environment "prod"; models/m/model.yaml has: dev.',
    );
  });
});
