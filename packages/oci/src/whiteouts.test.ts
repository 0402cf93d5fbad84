import { describe, expect, it } from 'vitest';
import { hiddenBy, pathsHeld } from './whiteouts.ts';

const held = (...layers: string[][]) => [...pathsHeld(layers)].sort();

const below = ['usr/', 'usr/bin/', 'usr/bin/git', 'usr/bin/git-lfs', 'usr/lib/git/core'];

describe('the paths that an image holds', () => {
  it('are those of all layers', () => {
    expect(held([], ['a', 'b/', 'b/c'], ['b/d'])).toEqual(['a', 'b/', 'b/c', 'b/d']);
  });

  it.each<[string, string[], string[]]>([
    ['a file', ['usr/bin/.wh.git'], ['usr/', 'usr/bin/', 'usr/bin/git-lfs', 'usr/lib/git/core']],
    ['a folder with all below it', ['usr/lib/.wh.git'], ['usr/', 'usr/bin/', 'usr/bin/git', 'usr/bin/git-lfs']],
    ['what is in a folder, not the folder', ['usr/bin/.wh..wh..opq'], ['usr/', 'usr/bin/', 'usr/lib/git/core']],
    ['everything', ['.wh..wh..opq'], []],
    ['a folder at the top', ['.wh.usr'], []],
    ['nothing, where nothing is', ['var/.wh.log', 'opt/.wh..wh..opq'], below],
  ])('lack %s that a whiteout of a later layer hides', (_, layer, left) => {
    expect(held(below, layer)).toEqual(left);
  });

  it('have what a layer adds itself, before or after its whiteouts, and what a later one brings back', () => {
    expect(held(['bin/git', 'bin/sh'], ['bin/node', 'bin/.wh..wh..opq', 'bin/npm'])).toEqual(['bin/node', 'bin/npm']);
    expect(held(['bin/git'], ['bin/git', 'bin/.wh.git'])).toEqual(['bin/git']);
    expect(held(['bin/git'], ['bin/.wh.git'], ['bin/git'])).toEqual(['bin/git']);
  });
});

describe('a whiteout', () => {
  it('is known by the last part of its name alone', () => {
    expect([hiddenBy('a/b'), hiddenBy('.wh.a/b'), hiddenBy('a.wh.b')]).toEqual([undefined, undefined, undefined]);
    expect(hiddenBy('.wh.a')).toEqual({ path: 'a', kept: false });
    expect(hiddenBy('a/.wh..wh..opq')).toEqual({ path: 'a', kept: true });
  });

  it.each(['.wh.', 'a/.wh..', 'a/.wh...'])('that hides nothing with a name is refused: %s', (path) => {
    expect(() => hiddenBy(path)).toThrow(/hides nothing that has a name/);
  });
});
