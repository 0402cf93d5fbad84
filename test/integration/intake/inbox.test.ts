import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { attend } from '../../../packages/gitops-writer/src/app/inbox.ts';
import type { HookClaim, HookDelivery } from '../../../packages/gitops-writer/src/ports.ts';
import { away, championOf, digestOf, MODEL, modelYaml, startIntake } from './registry.ts';

let world: Awaited<ReturnType<typeof startIntake>>;
beforeEach(async () => {
  world = await startIntake();
  world.said.versions = { '1': digestOf('a'), '2': digestOf('b') };
});
afterEach(() => world.stop());

const NAMES = { projectId: 'P-1', modelId: 'm-1', modelVersionName: '1.0' };
const claim = (more: Partial<HookClaim> = {}): HookClaim => ({
  registry: 'sas',
  names: NAMES,
  decision: 'approve',
  decidedBy: 'alice@example.com',
  taskName: 'Approve',
  processId: 'process-42',
  via: 'workflow',
  ...more,
});
const delivery = (more: Partial<HookClaim> = {}, ageMs = 0): HookDelivery & { ageMs: number } => ({
  id: 'h-1',
  claim: claim(more),
  state: 'received',
  receivedAt: world.at(),
  attempts: 1,
  ageMs,
});
const attended = (more: Partial<HookClaim> = {}, ageMs = 0) => attend(delivery(more, ageMs), world.context);
const evidence = async () => {
  const [change] = await world.deploys();
  const stored = await world.changes.find(change?.id ?? '');
  return stored?.evidence.kind === 'deploy' ? stored.evidence : undefined;
};

describe('a hook that the registry confirms', () => {
  it('leads to the change of the champion; what it claims is shown as claimed', async () => {
    world.said.champion = championOf('1', { actor: 'SAS user bob' });
    const outcome = await attended();
    const [change] = await world.deploys();
    expect(outcome).toMatchObject({ state: 'done', change: change?.id });
    expect(change?.actor).toBe('SAS user bob');
    const known = await evidence();
    expect(known?.via).toBe('workflow');
    expect(known?.approval.evidence).toContain(
      'Claimed by the hook that credential workflow has sent, and confirmed by nobody: alice@example.com decided it (task Approve, process process-42).',
    );
  });

  it('leads to the same change as the poll before it, and as every hook after it', async () => {
    world.said.champion = championOf('1');
    const outcomes = [await attended(), await attended({ processId: 'another' }), await attended()];
    expect(new Set(outcomes.map((outcome) => 'change' in outcome && outcome.change)).size).toBe(1);
    expect(await world.deploys()).toHaveLength(1);
    expect(world.said.loads).toBe(1);
  });

  it('is waited for while another process looks at the model', async () => {
    world.said.champion = championOf('1');
    await world.replicas[1]?.exclusive.take(`champion ${MODEL}`);
    expect(await attended()).toMatchObject({ state: 'received', delayMs: 500 });
    await world.replicas[1]?.exclusive.drop(`champion ${MODEL}`);
    expect(await attended()).toMatchObject({ state: 'done' });
  });
});

describe('a hook that the registry does not confirm', () => {
  it.each([
    ['another model', { names: { ...NAMES, modelId: 'm-2' } }, 'modelId is m-1, not m-2'],
    ['another version', { names: { ...NAMES, modelVersionName: '2.0' } }, 'modelVersionName is 1.0, not 2.0'],
    ['something nobody tells', { names: { ...NAMES, folder: 'x' } }, 'folder is not told, not x'],
  ])('because it claims %s is looked at again for a while, then unverified', async (_, more, words) => {
    world.said.champion = championOf('1');
    await attended(); // What is true is proposed whoever asks.
    const first = await attended(more);
    expect(first).toMatchObject({ state: 'received', reason: expect.stringContaining(words) });
    expect(await attended(more, 60_000)).toMatchObject({ state: 'unverified', reason: expect.stringContaining(words) });
    expect(await world.deploys()).toHaveLength(1);
    expect(JSON.stringify(await evidence())).not.toContain('not m-2');
  });

  it('because there is no champion yet makes nothing until there is', async () => {
    expect(await attended()).toMatchObject({ state: 'received', reason: expect.stringContaining('names no champion') });
    expect(await attended({}, 60_000)).toMatchObject({ state: 'unverified' });
    expect(await world.deploys()).toEqual([]);
  });

  it('never lends its words to a champion that it does not mean', async () => {
    world.said.champion = championOf('2');
    await attended();
    expect((await evidence())?.approval.evidence).not.toContain('alice@example.com');
    expect(await evidence()).not.toHaveProperty('via');
  });

  it('because of a decision against it does nothing', async () => {
    world.said.champion = championOf('1');
    expect(await attended({ decision: 'reject' })).toEqual({
      state: 'done',
      reason: 'The decision is "reject", so there is nothing to do.',
    });
    expect(world.said.asked).toBe(0);
  });
});

describe('a hook of a registry that is down', () => {
  it('is tried again with growing pauses, and given up after a day', async () => {
    world.said.away = away();
    const delays: number[] = [];
    for (const attempts of [1, 2, 3, 10]) {
      const outcome = await attend({ ...delivery(), attempts }, world.context);
      expect(outcome).toMatchObject({ state: 'received', reason: expect.stringContaining('SAS_URL') });
      if (outcome.state === 'received') delays.push(outcome.delayMs);
    }
    expect(delays).toEqual([500, 1_000, 2_000, 60_000]);
    expect(await attended({}, 24 * 3_600_000)).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('Given up'),
    });
  });
});

describe('which model a hook means', () => {
  it('follows from the project id that SAS gives, where model.yaml names the project', async () => {
    world.said.champion = championOf('1');
    expect(await attended({ names: { ...NAMES, projectId: 'another' } })).toMatchObject({ state: 'received' });
    expect(await attended({ names: { ...NAMES, projectId: 'another' } })).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining(
        'No model.yaml has source.registry sas with source.approves and fits projectId another',
      ),
    });
  });

  it('follows from name and alias of MLflow', async () => {
    world.files.set(`models/${MODEL}/model.yaml`, modelYaml('mlflow'));
    const names = { name: 'hmeq', version: '1', alias: 'champion' };
    world.said.champion = championOf('1', { names });
    const mlflow = (more: Record<string, string>) => attended({ registry: 'mlflow', names: { ...names, ...more } });
    expect(await mlflow({ alias: 'staging' })).toMatchObject({ state: 'failed' });
    expect(await mlflow({ name: 'other' })).toMatchObject({ state: 'failed' });
    expect(await mlflow({})).toMatchObject({ state: 'done' });
    expect(await attended()).toMatchObject({ state: 'failed' });
  });

  it('is not spoilt by a model.yaml that nobody can read', async () => {
    world.files.set('models/another/model.yaml', 'kind: Model\nkind: Model\n');
    world.said.champion = championOf('1');
    expect(await attended()).toMatchObject({ state: 'done' });
  });
});

describe('the inbox', () => {
  const put = (id: string) => world.inbox.put(id, claim(), '{"as":"it came"}');

  it('gives each delivery to one at a time, and again when nobody has settled it', async () => {
    const ids = Array.from({ length: 3 }, () => randomUUID());
    for (const id of ids) await put(id);
    const taken = await Promise.all(Array.from({ length: 6 }, () => world.inbox.take(60_000)));
    expect(taken.flatMap((one) => one?.id ?? []).sort()).toEqual([...ids].sort());
    await put('late');
    const first = await world.inbox.take(0);
    const second = await world.inbox.take(0);
    expect([first?.id, second?.id]).toEqual(['late', 'late']);
    expect(second?.attempts).toBe(2);
  });

  it('takes no word of who was too slow', async () => {
    await put('slow');
    const slow = await world.inbox.take(0);
    const quick = await world.inbox.take(60_000);
    if (slow === undefined || quick === undefined) throw new Error('nothing was taken');
    await world.inbox.settle(slow, { state: 'failed', reason: 'too late' });
    expect(await world.inbox.find('slow')).toMatchObject({ state: 'received' });
    await world.inbox.settle(quick, { state: 'done', reason: 'Fine.', change: 'c' });
    expect(await world.inbox.find('slow')).toMatchObject({ state: 'done', reason: 'Fine.', change: 'c' });
  });

  it('keeps what is done, and takes up again what was unverified, when the same comes again', async () => {
    await put('same');
    const taken = await world.inbox.take(60_000);
    if (taken === undefined) throw new Error('nothing was taken');
    expect((await put('same')).attempts).toBe(1);
    await world.inbox.settle(taken, { state: 'unverified', reason: 'No.' });
    expect(await put('same')).toMatchObject({ state: 'received', attempts: 0 });
    const again = await world.inbox.take(60_000);
    if (again === undefined) throw new Error('nothing was taken');
    await world.inbox.settle(again, { state: 'done', reason: 'Yes.' });
    expect(await put('same')).toMatchObject({ state: 'done', reason: 'Yes.' });
    expect(await world.inbox.take(60_000)).toBeUndefined();
  });
});
