import { expect, it } from 'vitest';
import { ARTIFACT_LIMITS, checkListing, pathProblem } from './paths.ts';

const check = (paths: readonly string[], limits = ARTIFACT_LIMITS) =>
  checkListing(
    paths.map((path) => ({ path, size: 1, etag: undefined })),
    'm version 1',
    limits,
  );

it('takes the files of a model', () => {
  expect(() =>
    check(['MLmodel', 'data/model/saved_model.pb', 'data/model/variables/variables.index', 'ä b/c+d']),
  ).not.toThrow();
});

it.each([
  ['../x', 'leads out of the folder'],
  ['a/../../x', 'leads out of the folder'],
  ['..', 'leads out of the folder'],
  ['/etc/passwd', 'is no relative path'],
  ['C:/x', 'is no relative path'],
  ['a\\b', 'is no relative path'],
  ['a//b', 'has an empty name'],
  ['./a', 'has an empty name'],
  ['a/', 'has an empty name'],
  ['', 'has an empty name'],
  ['a\u0000b', 'has control characters'],
  ['a\nb', 'has control characters'],
  ['a\u202eb', 'has control characters'],
  ['x'.repeat(256), 'has a name of more than 255 bytes'],
  [`${'x/'.repeat(250)}y`, 'is longer than 400 bytes'],
])('refuses %j', (path, problem) => {
  expect(pathProblem(path, 400)).toContain(problem);
  expect(() => check(['MLmodel', path])).toThrow(problem);
});

it.each([
  [['data/a', 'data/A']],
  [['Data/a', 'data/b']],
  [['a/stra\u00dfe', 'a/STRASSE']],
  [['a/\u00e9', 'a/e\u0301']],
])('refuses names that some disks take for one: %j', (paths) => {
  expect(() => check(paths)).toThrow(/differs from .* only by case/);
});

it.each([
  [['a', 'a'], 'is there twice'],
  [['a', 'a/b'], 'is both a file and a folder'],
  [['a/b', 'a'], 'is both a file and a folder'],
])('refuses what is twice, or file and folder: %j', (paths, problem) => {
  expect(() => check(paths)).toThrow(problem);
});

it('holds to its limits', () => {
  const limits = { ...ARTIFACT_LIMITS, files: 2, bytes: 2 };
  expect(() => check(['a', 'b'], limits)).not.toThrow();
  expect(() => check(['a', 'b', 'c'], limits)).toThrow('more than 2 files');
  expect(() => check(['a', 'b', 'c'], { ...limits, files: 9 })).toThrow('larger than');
});
