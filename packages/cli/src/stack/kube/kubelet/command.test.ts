import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pod } from '../workloads.ts';
import { containerCommand, translate } from './command.ts';
import { expand } from './environment.ts';
import type { Image } from './images.ts';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'image-'));
  mkdirSync(join(root, 'models'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const mounts = [
  { path: '/var/spool', host: '/host/spool' },
  { path: '/var/spool/deep', host: '/host/deep' },
  { path: '/models/live', host: '/host/live' },
];

describe('translate', () => {
  it.each([
    ['/var/spool', () => '/host/spool'],
    ['/var/spool/a/b', () => '/host/spool/a/b'],
    ['/var/spool/deep/a', () => '/host/deep/a'],
    ['/var/spooled', () => '/var/spooled'],
    ['/models/x', () => join(root, 'models/x')],
    ['/models/live/1', () => '/host/live/1'],
    ['/elsewhere', () => '/elsewhere'],
    ['http://a/models', () => 'http://a/models'],
    ['/', () => '/'],
  ])('%s', (text, result) => expect(translate(text, mounts, root)).toBe(result()));
});

describe('expand', () => {
  const known = new Map([['A', '1']]);
  it.each([
    ['$(A)-$(B)', '1-$(B)'],
    ['$$(A)', '$(A)'],
    ['$A', '$A'],
  ])('%s → %s', (text, result) => expect(expand(text, known)).toBe(result));
});

describe('containerCommand', () => {
  const image = (): Image => ({
    id: 'i',
    root,
    env: ['PATH=/bin', 'BASE=/models', 'NAME=image'],
    entrypoint: ['/usr/bin/serve', '--fixed'],
    cmd: ['--default'],
    workingDir: '',
  });
  const pod = { metadata: { name: 'p' } } as Pod;
  const where = { pod, podIP: '127.1.2.3', mounts, base: { PATH: '/host/bin', HOME: '/h', TMPDIR: '/t' } };
  const programs = {
    serve: { argv: ['node', 'serve.ts'], env: { NAME: '{podIP}:1' }, confineArgs: ['--host={podIP}'] },
  };
  const build = (container: object, env: [string, string][] = []) =>
    containerCommand({ name: 'c', image: 'i', ...container }, image(), where, new Map(env), programs);

  it('runs the program of the entrypoint, with its own environment over manifest and image', () => {
    expect(
      build({}, [
        ['NAME', 'manifest'],
        ['SPOOL', '/var/spool/x'],
      ]),
    ).toMatchObject({
      ok: {
        argv: ['node', 'serve.ts', '--fixed', '--default', '--host=127.1.2.3'],
        env: {
          PATH: '/host/bin',
          NAME: '127.1.2.3:1',
          BASE: join(root, 'models'),
          SPOOL: '/host/spool/x',
          HOSTNAME: 'p',
        },
        cwd: root,
      },
    });
  });
  it.each([
    [{ args: ['--config=/var/spool/c', '$(WHO)'] }, ['--fixed', '--config=/host/spool/c', 'me']],
    [{ command: ['serve'] }, []],
    [{ command: ['serve'], args: ['x'] }, ['x']],
  ])('%j', (container, args) => {
    expect(build(container, [['WHO', 'me']])).toMatchObject({
      ok: { argv: ['node', 'serve.ts', ...args, '--host=127.1.2.3'] },
    });
  });
  it.each(['/bin/sh', 'constructor'])('has no program for %s', (entrypoint) => {
    expect(build({ command: [entrypoint] })).toMatchObject({ problem: { reason: 'RunContainerError' } });
  });
});
