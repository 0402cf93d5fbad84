import { FairwayError } from '@fairway/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { look } from '../../../packages/gitops-writer/src/app/champions-look.ts';
import { pollAll } from '../../../packages/gitops-writer/src/app/champions.ts';
import { chainText } from '../../../packages/gitops-writer/src/render/chain.ts';
import { parseModelFile } from '../../../packages/gitops-writer/src/render/model-file.ts';
import { away, championOf, digestOf, MODEL, modelYaml, startIntake } from './registry.ts';

let world: Awaited<ReturnType<typeof startIntake>>;
beforeEach(async () => {
  world = await startIntake();
  world.said.versions = { '1': digestOf('a'), '2': digestOf('b') };
});
afterEach(() => world.stop());

const lookOnce = () => look(MODEL, world.context);
const warnings = () => world.logged.filter(({ level }) => level === 'warn');
const seen = () => world.book.read(MODEL);
const crown = (version: string, more = {}) => {
  world.said.champion = championOf(version, more);
};
/** What a merged change has put on the default branch. */
const merged = (version: string, digest: string) =>
  world.files.set(
    `models/${MODEL}/environments/prod/version.yaml`,
    chainText({
      change: 'c0ffee',
      model: MODEL,
      version,
      digest,
      image: `registry.example.com/models@${digest}`,
      environment: 'prod',
      approval: { eventId: 'e', model: MODEL, version, environment: 'prod', actor: 'bob', time: world.at() },
      intent: 'f'.repeat(64),
    }),
  );

describe('a new champion', () => {
  it('is an approval for the environment of model.yaml, in the words of the registry', async () => {
    crown('1', {
      label: 'HMEQ TF 2.1',
      actor: 'alice\nFairway-Change: x',
      at: '2026-11-21T09:00:00Z',
      answerTo: 'sas:p-1/m-1',
    });
    const found = await lookOnce();
    const [change] = await world.deploys();
    expect(found).toMatchObject({ kind: 'champion', settled: { change: change?.id } });
    expect(change).toMatchObject({
      environment: 'prod',
      version: '1',
      digest: digestOf('a'),
      phase: 'requested',
      actor: 'alice Fairway-Change: x',
    });
    const stored = await world.changes.find(change?.id ?? '');
    expect(stored?.evidence).toMatchObject({
      approval: {
        eventId: `champion:sas:${MODEL}:sas-1`,
        time: '2026-11-21T09:00:00.000Z',
        answerTo: 'sas:p-1/m-1',
        evidence:
          'In SAS Model Manager, version 1 (HMEQ TF 2.1) is the champion of home-equity, since 2026-11-21T09:00:00Z. It names alice Fairway-Change: x. Fairway read it there by itself at 2026-11-22T10:00:00.000Z.',
      },
    });
  });

  it('is loaded once, and asked for again without being loaded', async () => {
    crown('1');
    for (let turn = 0; turn < 5; turn += 1) await lookOnce();
    expect(world.said).toMatchObject({ asked: 5, loads: 1 });
    expect(await world.deploys()).toHaveLength(1);
  });

  it('is one change however many look at the same time, in two replicas', async () => {
    crown('1');
    const looks = Array.from({ length: 20 }, (_, i) => look(MODEL, world.replicas[i % 2] ?? world.context));
    const kinds = (await Promise.all(looks)).map(({ kind }) => kind);
    expect(kinds).toContain('champion');
    expect(world.said.loads).toBe(1);
    expect(await world.deploys()).toHaveLength(1);
  });

  it('is not lost to another look that began before it: a look waits for its turn, then reads anew', async () => {
    crown('1');
    let inside: string | undefined;
    world.said.onLoad = async () => {
      crown('2');
      inside = (await look(MODEL, world.replicas[1] ?? world.context)).kind;
    };
    await lookOnce();
    expect(inside).toBe('busy');
    delete world.said.onLoad;
    await look(MODEL, world.replicas[1] ?? world.context);
    expect((await world.deploys()).map(({ version }) => version)).toEqual(['2', '1']);
  });

  it('answers where the registry says, and nowhere that this writer may not call', async () => {
    const answerTos = async () => {
      const [change] = await world.deploys();
      const stored = await world.changes.find(change?.id ?? '');
      return stored?.evidence.kind === 'deploy' ? stored.evidence.approval.answerTo : 'none';
    };
    world.said.answerTo = 'sas:p-1/m-1/process';
    crown('1');
    await lookOnce();
    expect(await answerTos()).toBe('sas:p-1/m-1/process');
    world.said.answerTo = 'http://169.254.169.254/latest';
    crown('2', { answerTo: 'mlflow:a/1' });
    await lookOnce();
    expect(await answerTos()).toBeUndefined();
  });

  it('that comes back after another one is decided on anew, and only then', async () => {
    for (const version of ['1', '2', '1', '1', '2']) {
      crown(version);
      await lookOnce();
      world.pass(1_000);
    }
    const changes = await world.deploys();
    expect(changes.map(({ version }) => version)).toEqual(['2', '1', '2', '1']);
    expect(new Set(changes.map(({ id }) => id)).size).toBe(4);
  });

  it('that comes back to what serves supersedes what is under way', async () => {
    merged('1', digestOf('a'));
    crown('1');
    expect(await lookOnce()).toMatchObject({ settled: { outcome: expect.stringContaining('already') } });
    expect(await world.deploys()).toEqual([]);
    crown('2');
    await lookOnce();
    crown('1');
    await lookOnce();
    expect((await world.deploys()).map(({ version }) => version)).toEqual(['1', '2']);
  });

  it('is one change still when what was seen of it is lost', async () => {
    crown('1');
    await lookOnce();
    const before = await seen();
    if (before === undefined) throw new Error('nothing was seen');
    const { settled: _, champion: __, ...rest } = before;
    await world.book.write(rest, []);
    expect(await lookOnce()).toMatchObject({ kind: 'champion', settled: { outcome: 'It was decided before.' } });
    expect(await world.deploys()).toHaveLength(1);
  });

  it('counts for another environment anew when model.yaml says so', async () => {
    crown('1');
    await lookOnce();
    world.files.set(`models/${MODEL}/model.yaml`, modelYaml('sas').replace('approves: prod', 'approves: dev'));
    await lookOnce();
    expect((await world.deploys()).map(({ environment }) => environment)).toEqual(['dev', 'prod']);
  });

  it('is nobody to us where model.yaml makes nothing of it', async () => {
    crown('1');
    world.files.set(`models/${MODEL}/model.yaml`, modelYaml('sas').replace(', approves: prod', ''));
    expect(await lookOnce()).toEqual({ kind: 'unwatched' });
    expect(world.said.asked).toBe(0);
  });
});

describe('a champion that cannot be followed', () => {
  const unfit = () =>
    new FairwayError('model.invalid', 'The SavedModel does not fit: input A is missing.', {
      detail: { problems: ['input A is missing', 'input B is missing.', 'output C is a string'] },
    });
  const answers = async () => (await world.notifications()).filter(({ channel }) => channel === 'answer');

  it('is a rejected change with every reason, once, and who decided is told', async () => {
    world.said.versions['1'] = unfit();
    crown('1', { answerTo: 'sas:p-1/m-1' });
    await Promise.all(world.replicas.map((context) => look(MODEL, context)));
    await lookOnce();
    const changes = await world.deploys();
    expect(changes).toHaveLength(1);
    const [change] = changes;
    const reason =
      'The SavedModel does not fit: input A is missing. All of it: input B is missing; output C is a string.';
    expect(change).toMatchObject({ phase: 'rejected', reason, version: '1', environment: 'prod' });
    expect(change?.history.map(({ phase }) => phase)).toEqual(['requested', 'rejected']);
    expect(change).not.toHaveProperty('digest');
    expect(await answers()).toMatchObject([
      { event: 'rejected', state: 'pending', title: expect.stringContaining('SAS Model Manager is told') },
    ]);
    const cards = (await world.notifications()).filter(({ channel }) => channel === 'teams');
    expect(cards).toMatchObject([{ event: 'rejected', title: `${MODEL} 1 for prod was rejected` }]);
    expect(world.said.loads).toBe(1);
  });

  it('is decided on anew when its content is another one', async () => {
    world.said.versions['1'] = unfit();
    crown('1');
    await lookOnce();
    world.said.versions['1'] = digestOf('c');
    crown('1', { fingerprint: 'sas-1-mended' });
    await lookOnce();
    expect((await world.deploys()).map(({ phase }) => phase)).toEqual(['requested', 'rejected']);
  });

  it('is rejected while its bytes are quarantined', async () => {
    world.files.set(
      `models/${MODEL}/quarantine.yaml`,
      [
        'apiVersion: fairway.dev/v1',
        'kind: Quarantine',
        'entries:',
        `  - { model: ${MODEL}, version: "1", digest: "${digestOf('a')}", change: c0ffee, reason: Scores are off, since: "2026-11-20T00:00:00Z" }`,
      ].join('\n'),
    );
    crown('1');
    await lookOnce();
    const [change] = await world.deploys();
    expect(change).toMatchObject({ phase: 'rejected', digest: digestOf('a') });
    expect(change?.reason).toContain('is quarantined since 2026-11-20');
  });
});

describe('a champion that is withdrawn', () => {
  it('takes nothing away, is told to people once, and stays visible', async () => {
    crown('1', { actor: 'alice' });
    await lookOnce();
    world.said.champion = undefined;
    world.pass(60_000);
    for (const context of [...world.replicas, ...world.replicas]) await look(MODEL, context);
    const told = (await world.notifications()).filter(({ event }) => event === 'champion-withdrawn');
    expect(told).toMatchObject([{ channel: 'teams', title: `${MODEL} has no champion any more` }]);
    expect(await seen()).toMatchObject({ since: '2026-11-22T10:01:00.000Z', withdrawn: { version: '1' } });
    expect((await world.deploys()).map(({ phase }) => phase)).toEqual(['requested']);
  });

  it('is a new decision when it is named again', async () => {
    crown('1');
    await lookOnce();
    world.said.champion = undefined;
    world.pass(1_000);
    await lookOnce();
    crown('1');
    world.pass(1_000);
    await lookOnce();
    await lookOnce();
    expect(await world.deploys()).toHaveLength(2);
  });
});

describe('a registry that is down', () => {
  it('is told once, seen in the state, and gone on with when it is back', async () => {
    crown('1');
    world.said.away = away();
    for (let turn = 0; turn < 3; turn += 1) expect((await lookOnce()).kind).toBe('unreadable');
    expect(warnings()).toHaveLength(1);
    expect(await seen()).toMatchObject({ problem: { reason: expect.stringContaining('SAS_URL'), since: world.at() } });
    expect(world.looked).toEqual(['unreadable', 'unreadable', 'unreadable']);
    world.said.away = undefined;
    await lookOnce();
    expect(await seen()).not.toHaveProperty('problem');
    expect(await world.deploys()).toHaveLength(1);
    expect((await world.notifications()).filter(({ event }) => event === 'champion-withdrawn')).toEqual([]);
  });

  it('between champion and content leaves the decision open', async () => {
    crown('1');
    world.said.onLoad = () => {
      world.said.away = away();
      return Promise.resolve();
    };
    expect((await lookOnce()).kind).toBe('unreadable');
    expect(await world.deploys()).toEqual([]);
    delete world.said.onLoad;
    world.said.away = undefined;
    expect(await lookOnce()).toMatchObject({ kind: 'champion', settled: { change: expect.any(String) } });
  });

  it('keeps what was decided, and is no withdrawal', async () => {
    crown('1');
    await lookOnce();
    world.said.away = away();
    await lookOnce();
    expect(await seen()).toMatchObject({ champion: { version: '1' }, settled: { outcome: expect.any(String) } });
    world.said.away = undefined;
    await lookOnce();
    expect(world.said.loads).toBe(1);
  });
});

describe('a poll', () => {
  const poll = (everyMs = 60_000) => pollAll({ ...world.context, models }, everyMs, new AbortController().signal);
  const models = {
    at: (_commit: string, model: string) => {
      const text = world.files.get(`models/${model}/model.yaml`);
      return Promise.resolve(text === undefined ? undefined : parseModelFile(model, text));
    },
  };

  it("goes on with the others when one model's registry is in trouble", async () => {
    world.files.set('models/another/model.yaml', modelYaml('sas').replaceAll(MODEL, 'another'));
    const { source } = world.context;
    const troubled = {
      ...source,
      champion: (of: Parameters<typeof source.champion>[0]) =>
        of.model === 'another' ? Promise.reject(new Error('a bug')) : source.champion(of),
    };
    crown('1');
    await pollAll({ ...world.context, source: troubled, models }, 60_000, new AbortController().signal);
    expect(await world.deploys()).toHaveLength(1);
    expect(await world.book.read('another')).toMatchObject({ problem: { reason: 'a bug' } });
  });

  it('leaves out what a replica has just looked at', async () => {
    crown('1');
    await poll();
    await poll();
    expect(world.said.asked).toBe(1);
    world.pass(30_000);
    await poll();
    expect(world.said.asked).toBe(2);
  });
});
