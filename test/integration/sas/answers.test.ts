import { systemClock } from '@fairway/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sasAnswers } from '../../../packages/gitops-writer/src/notify/sas/answers.ts';
import type { Answer, Answers } from '../../../packages/gitops-writer/src/ports.ts';
import { type Example, startExample } from '../../harness/sas/example.ts';
import { addProcess, type Dialect, type FakeModel, type FakeProcess, touch } from '../../harness/sas/state.ts';

const ANSWER: Answer = {
  idempotencyKey: 'a-1',
  eventId: 'sas:1',
  changeId: 'c0ffee',
  model: 'home-equity',
  version: '482137002001',
  environment: 'prod',
  outcome: 'live',
  pullRequest: 'https://git.example.com/pulls/7',
  mergeCommit: 'f'.repeat(40),
  at: '2026-03-01T12:00:00.000Z',
};

let example: Example;
let answers: Answers;
let model: FakeModel;
let process: FakeProcess;
const start = async (dialect: Dialect) => {
  await example?.stop();
  example = await startExample(dialect, systemClock);
  answers = sasAnswers({ server: example.server, message: 'fairway' });
  model = await example.addModel('HMEQ TF', 2);
  process = addProcess(example.sas.state, example.project, 'fairway');
};
beforeEach(() => start('2023.10'));
afterEach(() => example.stop());

const of = (processId?: string) =>
  ['sas:', example.project.id, '/', model.id, processId ? `/${processId}` : ''].join('');
const tell = (more: Partial<Answer> = {}, to = of(process.id)) => answers.answer({ ...ANSWER, ...more }, to);
const properties = (): Record<string, unknown> => {
  const list = (model.fields['properties'] ?? []) as ReadonlyArray<{ name: string; value: unknown }>;
  return Object.fromEntries(list.map(({ name, value }) => [name, value]));
};
const writes = () => example.sas.seen.filter(({ method }) => method !== 'GET');

it.each(['3.5', '2023.10'] as const)(
  'tells model and workflow, once however often it is told (%s)',
  async (dialect) => {
    await start(dialect);
    expect(await tell()).toEqual({ kind: 'accepted' });
    expect(properties()).toEqual({
      _AUC_: '0.81',
      fairwayOutcome: 'live',
      fairwayChange: 'c0ffee',
      fairwayEnvironment: 'prod',
      fairwayVersion: '482137002001',
      fairwayAt: ANSWER.at,
      fairwayMergeCommit: 'f'.repeat(40),
      fairwayPullRequest: 'https://git.example.com/pulls/7',
      fairwayReason: '',
      fairwayAnswered: 'a-1',
    });
    expect(process.received).toEqual([
      {
        name: 'fairway',
        variables: {
          fairwayOutcome: 'live',
          fairwayChange: 'c0ffee',
          fairwayEnvironment: 'prod',
          fairwayVersion: '482137002001',
          fairwayMergeCommit: 'f'.repeat(40),
          fairwayPullRequest: 'https://git.example.com/pulls/7',
          fairwayReason: '',
          fairwayEvent: 'sas:1',
        },
      },
    ]);
    const before = writes().length;
    expect(await tell()).toEqual({ kind: 'accepted' });
    expect(writes()).toHaveLength(before);
  },
);

it('writes the model alone where no workflow is known, and nothing twice', async () => {
  expect(await tell({}, of())).toEqual({ kind: 'accepted' });
  expect(await tell({}, of())).toEqual({ kind: 'accepted' });
  expect(writes().map(({ method }) => method)).toEqual(['PUT']);
  expect(process.received).toEqual([]);
});

it('leaves newer evidence as it is, and clears what an older outcome has said', async () => {
  await tell({ idempotencyKey: 'a-2', outcome: 'rolled-back', reason: 'It failed.', at: '2026-03-02T12:00:00Z' }, of());
  await tell({}, of());
  expect(properties()).toMatchObject({ fairwayOutcome: 'rolled-back', fairwayReason: 'It failed.' });
  await tell({ idempotencyKey: 'a-3', at: '2026-03-03T12:00:00.5Z' }, of());
  expect(properties()).toMatchObject({ fairwayOutcome: 'live', fairwayReason: '' });
});

describe('somebody else who writes the model', () => {
  const meanwhile = (times: number) => {
    let left = times;
    example.sas.meanwhile = ({ method }) => {
      if (method !== 'PUT' || left === 0) return;
      left -= 1;
      model.fields = { ...model.fields, properties: [{ name: 'theirs', value: String(left), type: 'string' }] };
      touch(example.sas.state, model);
    };
  };

  it('loses nothing', async () => {
    meanwhile(2);
    expect(await tell({}, of())).toEqual({ kind: 'accepted' });
    expect(properties()).toMatchObject({ theirs: '0', fairwayOutcome: 'live' });
    expect(writes().map(({ status }) => status)).toEqual([412, 412, 200]);
  });

  it('who never stops is waited for', async () => {
    meanwhile(100);
    expect(await tell({}, of())).toMatchObject({
      kind: 'retry',
      reason: expect.stringContaining('was changed by others each time'),
    });
    expect(writes()).toHaveLength(4);
  });
});

describe('a workflow', () => {
  it('that does not wait yet is told later, once', async () => {
    process.waitsFor = 'another';
    expect(await tell()).toEqual({
      kind: 'retry',
      afterMs: 60_000,
      reason: expect.stringMatching(/does not wait for the message fairway \(SAS_MESSAGE\): There are no active/),
    });
    expect(properties()).toMatchObject({ fairwayOutcome: 'live' });
    process.waitsFor = 'fairway';
    expect(await tell()).toEqual({ kind: 'accepted' });
    expect(process.received).toHaveLength(1);
  });

  it('that is gone is no reason to try again', async () => {
    process.state = 'Terminated';
    expect(await tell()).toEqual({ kind: 'accepted', reason: expect.stringContaining(`${process.id} is gone`) });
    expect(properties()).toMatchObject({ fairwayAnswered: 'a-1' });
  });

  it('goes on even where the client may not write the model', async () => {
    example.sas.faults.push(
      ...[1, 2].map(() => ({
        on: new RegExp(`models/${model.id}$`),
        reply: { status: 403, json: { message: 'No.' } },
      })),
    );
    // The first refusal is for reading whether it was told already, so nothing is sent.
    expect(await tell()).toMatchObject({ kind: 'retry', reason: expect.stringContaining('(403)') });
    example.sas.faults.splice(0);
    const put = { status: 403, json: { message: 'No.' } };
    example.sas.meanwhile = ({ method }) => {
      if (method === 'PUT') example.sas.faults.push({ on: /models/, reply: put });
    };
    expect(await tell()).toEqual({
      kind: 'accepted',
      reason: expect.stringMatching(/write the properties.*\(403\): No/),
    });
    expect(process.received).toHaveLength(1);
  });

  it('without the right to be told is tried again, in words that say which right', async () => {
    example.sas.forbidden = /receivedMessages/;
    expect(await tell()).toEqual({
      kind: 'retry',
      reason: expect.stringMatching(/refuses the message to workflow process WF[\w-]+ \(403, .*docs\/sas\/README\.md/),
    });
  });
});

it('tells the workflow of a model that is gone, and says that it is', async () => {
  example.sas.state.models.splice(0);
  expect(await tell()).toEqual({ kind: 'accepted', reason: expect.stringContaining(`${model.id} is gone from SAS`) });
  expect(process.received).toHaveLength(1);
});

it('does not take other addresses for its own', async () => {
  for (const to of [undefined, 'https://viya.example.com/x', 'sas:only', 'sas:a/../b', 'sas:a/b/c/d', 'sas:a/b?c']) {
    expect(await answers.answer(ANSWER, to)).toMatchObject({
      kind: 'dead',
      reason: expect.stringContaining('no address'),
    });
  }
});

it('waits for a server that is away', async () => {
  await example.sas.down();
  expect(await tell()).toMatchObject({ kind: 'retry', reason: expect.stringContaining('(SAS_URL) cannot be used') });
  await example.sas.up();
  expect(await tell()).toEqual({ kind: 'accepted' });
});
