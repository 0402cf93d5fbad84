import type { Change } from '@fairway/core';
import { expect, it } from 'vitest';
import type { StoredChange } from '../change.ts';
import type { ChangeReader, Repository } from '../ports.ts';
import { toYaml } from '../render/yaml.ts';
import { type Leaving, restorableState } from './restorable.ts';

const digest = (version: string) => `sha256:${version.repeat(64)}`;
const DAY = 86_400_000;
const NOW = Date.parse('2026-11-22T10:00:00.000Z');
const ago = (days: number) => new Date(NOW - days * DAY).toISOString();
const leaving: Leaving = {
  model: 'm',
  environment: 'prod',
  bad: { change: 'bad', version: '9', digest: digest('9') },
  maxAgeMs: 90 * DAY,
  now: NOW,
};

type Was = {
  readonly version: string;
  readonly stopped?: number;
  readonly phase?: Change['phase'];
  readonly chain?: string;
};

/** A store of changes that were live, newest first, whose merge commits hold what they say. */
function world(were: readonly Was[], quarantine?: string) {
  const stored = were.map(({ version, stopped, phase = stopped === undefined ? 'live' : 'superseded' }) => {
    const live = { phase: 'live', at: ago(400) };
    const history = stopped === undefined ? [live] : [live, { phase, at: ago(stopped) }];
    const change = {
      id: `c${version}`,
      model: 'm',
      environment: 'prod',
      version,
      digest: digest(version),
      phase,
      history,
    };
    return { change, facts: { mergeCommit: `commit-${version}` } } as unknown as StoredChange;
  });
  const chainOf = (version: string) => {
    const approval = { eventId: 'e', model: 'm', version, environment: 'prod', actor: 'a', time: ago(400) };
    return toYaml({ change: `c${version}`, version, digest: digest(version), image: 'i', approval });
  };
  const repository = {
    read: (commit: string, path: string) => {
      if (path.endsWith('/quarantine.yaml')) return Promise.resolve(quarantine && { text: quarantine, blob: 'b' });
      const was = were.find(({ version }) => commit === `commit-${version}`);
      return Promise.resolve(was && { text: chainOf(was.chain ?? was.version), blob: 'b' });
    },
  } as unknown as Repository;
  const changes = {
    wereLive: () => Promise.resolve(stored),
    rollbackOf: () => Promise.resolve(undefined),
  } as unknown as ChangeReader;
  return { repository, changes };
}
const restored = async (were: readonly Was[], quarantine?: string) =>
  (await restorableState(leaving, world(were, quarantine), 'head')).version;

it('takes the newest that was live, as Git tells it', async () => {
  const state = await restorableState(leaving, world([{ version: '9' }, { version: '2' }, { version: '1' }]), 'head');
  expect(state).toEqual({ change: 'c2', version: '2', digest: digest('2'), commit: 'commit-2' });
});

it('passes over what was rolled back, is quarantined, or is not what Git has', async () => {
  expect(await restored([{ version: '2', stopped: 1, phase: 'rolled-back' }, { version: '1' }])).toBe('1');
  const entry = `{ model: m, version: "2", digest: "${digest('2')}" }`;
  const quarantine = `apiVersion: fairway.dev/v1\nkind: Quarantine\nentries: [${entry}]\n`;
  expect(await restored([{ version: '2' }, { version: '1' }], quarantine)).toBe('1');
  expect(await restored([{ version: '2', chain: '3' }, { version: '1' }])).toBe('1');
});

it('counts the age from when a state stopped serving, not from when it began', async () => {
  expect(await restored([{ version: '2' }])).toBe('2');
  expect(await restored([{ version: '2', stopped: 89 }])).toBe('2');
  await expect(restored([{ version: '2', stopped: 91 }, { version: '1' }])).rejects.toThrow(
    'm 2, which was live in prod before, stopped serving 91 days ago, and rollback.maxAge allows 90 days',
  );
});

it('says what to do where there is nothing', async () => {
  await expect(restored([{ version: '9' }])).rejects.toMatchObject({
    code: 'change.refused',
    message: expect.stringContaining('fairway retire m --environment prod'),
  });
});
