import { describe, expect, it } from 'vitest';
import { chosenDirectories, pathMatches } from './directories.ts';
import { fillTemplate, pathParams } from './template.ts';

const params = pathParams('models/home-equity/environments/dev');

describe('fillTemplate', () => {
  it.each([
    ['{{path}}', false, 'models/home-equity/environments/dev'],
    ['{{path[1]}}-{{path.basename}}', false, 'home-equity-dev'],
    ['{{ unknown }}', false, '{{ unknown }}'],
    ['{{.path.path}}', true, 'models/home-equity/environments/dev'],
    ['{{ index .path.segments 1 }}-{{ .path.basename }}', true, 'home-equity-dev'],
  ])('%s (go: %s)', (text, go, result) => expect(fillTemplate({ a: [text] }, params, go)).toEqual({ a: [result] }));

  it('refuses what it does not understand in Go templates', () => {
    expect(() => fillTemplate('{{ .path.nothing }}', params, true)).toThrow(/not understood/);
    expect(() => fillTemplate('{{ index .path.segments 9 }}', params, true)).toThrow(/not understood/);
  });
  it('normalizes a base name as Argo CD does', () =>
    expect(pathParams('a/My_Model').basenameNormalized).toBe('my-model'));
});

describe('directories', () => {
  it.each([
    ['models/*/environments/*', 'models/a/environments/dev', true],
    ['models/*/environments/*', 'models/a/environments/dev/more', false],
    ['models/?', 'models/a', true],
    ['a.b', 'axb', false],
  ])('%s matches %s: %s', (pattern, path, result) => expect(pathMatches(pattern, path)).toBe(result));

  it('takes excluded and hidden folders away', () => {
    const all = ['models/a', 'models/b', 'models/.git', 'other'];
    expect(chosenDirectories(all, [{ path: 'models/*' }, { path: 'models/b', exclude: true }])).toEqual(['models/a']);
  });
});
