import { expect, it } from 'vitest';
import { hostOf, imageName, isLoopback, parseReference } from './names.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

it.each([
  ['registry.example.com/models/m', 'registry.example.com', 'models/m'],
  ['localhost/m', 'localhost', 'm'],
  ['127.0.0.1:5000/a/b_c/d--e', '127.0.0.1:5000', 'a/b_c/d--e'],
  ['[::1]:5000/m', '[::1]:5000', 'm'],
  ['tensorflow/serving', 'docker.io', 'tensorflow/serving'],
  ['busybox', 'docker.io', 'library/busybox'],
])('knows the registry of %s', (name, host, path) => {
  expect(imageName(name)).toEqual({ name, host, path });
});

it.each([
  '',
  'UPPER/case',
  'registry.example.com/',
  'registry.example.com/a//b',
  'a/../b',
  'user@host.example/x',
  'a.b/?x=1',
  'a.b:port/x',
])('takes %j for no image name', (name) => {
  expect(() => imageName(name)).toThrow('is no image name; write it as registry.example.com/path/name');
});

it('reads references by digest, by tag, and by both', () => {
  expect(parseReference(`a.b:5000/m@${DIGEST}`)).toEqual({ name: 'a.b:5000/m', digest: DIGEST });
  expect(parseReference('a.b:5000/m:1.2')).toEqual({ name: 'a.b:5000/m', tag: '1.2' });
  expect(parseReference(`m:1@${DIGEST}`)).toEqual({ name: 'm', tag: '1', digest: DIGEST });
});

it.each(['a.b:5000/m', 'm', 'm@sha256:abc', 'm:', `@${DIGEST}`, `m:-x@${DIGEST}`])(
  'takes %j for no reference',
  (text) => {
    expect(() => parseReference(text)).toThrow('is no image reference');
  },
);

it('tells this machine from others', () => {
  expect(['127.0.0.1:5000', '127.9.9.9', 'localhost:80', '[::1]:1'].map(isLoopback)).toEqual([true, true, true, true]);
  const others = ['registry.example.com', '127.0.0.1.example.com', 'localhost.example.com', '128.0.0.1:127'];
  expect(others.map(isLoopback)).toEqual([false, false, false, false]);
  expect(hostOf('registry.example.com')).toBeUndefined();
});
