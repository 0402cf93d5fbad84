import { systemClock } from '@fairway/core';
import { gitEngine } from '../../packages/gitops-writer/src/git/engine.ts';

/** Writes branches `b<n>` until it is killed, 20 at a time; tells its parent of each commit and push, so that it can be killed in between. */
const [url = '', dataDir = ''] = process.argv.slice(2);
const { repository } = gitEngine({
  access: { url, credentials: () => Promise.resolve(undefined) },
  branch: 'main',
  dataDir,
  person: { name: 'bot', email: 'bot@example.com' },
  clock: systemClock,
  path: process.env['PATH'],
});
const parent = await repository.head(0);
const write = async (n: number) => {
  process.send?.('asked');
  const files = [{ path: `models/m${n}/a.yaml`, text: `${n}\n` }];
  const request = { parent, folders: [`models/m${n}`], files, message: `${n}\n`, date: '2026-11-22T08:30:00.000Z' };
  const commit = await repository.commit(request);
  process.send?.('written');
  await repository.push(`b${n}`, commit, undefined);
  process.send?.('pushed');
};
for (let n = 0; ; n += 20) await Promise.all(Array.from({ length: 20 }, (_, i) => write(n + i)));
