import type { Signature } from '@fairway/core';
import { describe, expect, it } from 'vitest';
import type { Application, Deployment, Pod } from '../../ports.ts';
import { type HealthFacts, healthy } from './healthy.ts';
import { rolledOut } from './rolled-out.ts';
import { ours, type PodWord, readyPods, sampled, served } from './served.ts';
import { signatureDifference, signatureHash } from './signature.ts';

const T = '2026-11-22T10:00:00Z';
const after = (ms: number) => Date.parse(T) + ms;
const application = (change: Partial<Application> = {}) => ({ health: 'Healthy', ...change }) as Application;

describe('healthy', () => {
  const facts: HealthFacts = { rolledOutAt: T, seen: undefined, now: after(10_000), hysteresisMs: 5_000 };
  const judge = (change: Partial<Application>, some: Partial<HealthFacts> = {}) =>
    healthy(application(change), { ...facts, ...some });

  it.each<[string, Partial<Application>, Partial<HealthFacts>, boolean]>([
    ['for long', { healthSince: T }, {}, true],
    ['for the hysteresis, the second in which it began not counted', { healthSince: T }, { now: after(6_000) }, true],
    ['for a moment less', { healthSince: T }, { now: after(5_999) }, false],
    ['since some time, when nothing is asked', { healthSince: T }, { now: after(0), hysteresisMs: 0 }, true],
    ['since an unknown time', {}, {}, false],
    ['since an unknown time, but seen for long', {}, { seen: { at: T } }, true],
    ['since an unknown time, seen a moment ago', {}, { seen: { at: '2026-11-22T10:00:06Z' } }, false],
    [
      'by a clock an hour ahead, but seen for long',
      { healthSince: '2026-11-22T11:00:00Z' },
      { seen: { since: '2026-11-22T11:00:00Z', at: T } },
      true,
    ],
    [
      'again, after another state in between',
      { healthSince: '2026-11-22T10:00:09Z' },
      { seen: { since: T, at: T } },
      false,
    ],
  ])('%s', (_, change, some, holds) => {
    expect(judge(change, some).objection === undefined).toBe(holds);
  });
  it('says when to look again, and what has been seen', () => {
    expect(judge({ healthSince: T }, { now: after(4_000) })).toMatchObject({
      objection: { state: 'progressing', retryAfterMs: 2_000 },
      sight: { since: T, at: '2026-11-22T10:00:04.000Z' },
    });
    expect(judge({}, { seen: { at: T } }).sight).toEqual({ at: T });
  });
  it.each<[Application['health'], string]>([
    ['Progressing', 'progressing'],
    ['Suspended', 'progressing'],
    ['Missing', 'progressing'],
    ['Unknown', 'unknown'],
  ])('is not %s', (health, state) => {
    expect(judge({ health, healthMessage: 'why' }).objection).toMatchObject({
      state,
      reason: expect.stringContaining('why'),
    });
  });
  it.each<[string, string | undefined, Partial<HealthFacts>, boolean]>([
    ['a second after the rollout was complete', '2026-11-22T10:00:01Z', {}, true],
    ['in the very second, which may have been before', T, {}, false],
    ['before it', '2026-11-22T09:00:00Z', {}, false],
    ['before it, though it was seen Healthy since', '2026-11-22T09:00:00Z', { seen: { at: T } }, true],
    ['at an unknown time, never seen Healthy', undefined, {}, false],
    ['at an unknown time, seen Healthy before', undefined, { seen: { at: T } }, true],
    ['after a rollout of which nobody knows the end', '2026-11-22T10:00:01Z', { rolledOutAt: undefined }, false],
  ])('Degraded %s', (_, healthSince, some, fails) => {
    const { objection } = judge({ health: 'Degraded', ...(healthSince === undefined ? {} : { healthSince }) }, some);
    expect(objection?.state).toBe('degraded');
    expect(objection?.fails ?? false).toBe(fails);
  });
  it('keeps the sight over a failure, so that a second look finds the same', () => {
    const { sight } = judge({ health: 'Degraded' }, { seen: { at: T } });
    expect(judge({ health: 'Degraded' }, { seen: sight }).objection?.fails).toBe(true);
  });
});

const deployment: Deployment = {
  stamp: 'me',
  generation: 3,
  observedGeneration: 3,
  desired: 2,
  replicas: 2,
  updated: 2,
  available: 2,
  selector: {},
  deadlineMs: 600_000,
};

describe('rolled out', () => {
  const judge = (change: Partial<Deployment>, app = application()) =>
    rolledOut({ ...deployment, ...change }, 'me', app);
  it('is what the controller has observed and completed', () => {
    expect(judge({})).toBeUndefined();
  });
  it.each<[string, Partial<Deployment>]>([
    ['the stamp of an older change, whatever Argo CD says', { stamp: 'older' }],
    ['a generation that was not observed', { observedGeneration: 2 }],
    ['too few updated pods', { updated: 1 }],
    ['too few available pods', { available: 1 }],
    ['old pods beside the new ones', { replicas: 3 }],
    ['no pods at all', { desired: 0, replicas: 0, updated: 0, available: 0 }],
  ])('is not %s', (_, change) => {
    expect(judge(change)?.state).toBe('progressing');
    expect(judge(change)?.fails).toBeUndefined();
  });
  it('is not a Deployment that is not there, or has no stamp', () => {
    expect(rolledOut(undefined, 'me', application())?.state).toBe('progressing');
    const { stamp: _, ...unstamped } = deployment;
    expect(rolledOut(unstamped, 'me', application())?.reason).toContain('no change');
  });
  it('has failed past its progress deadline, which is the change’s own failure', () => {
    expect(judge({ stuck: 'timed out', updated: 1 })).toMatchObject({ state: 'degraded', fails: true });
  });
  it('has not failed by the deadline of the rollout before', () => {
    expect(judge({ stuck: 'timed out', observedGeneration: 2 })?.state).toBe('progressing');
    expect(judge({ stuck: 'timed out', stamp: 'older' })?.state).toBe('progressing');
  });
  it('is not hurried by an Application that was Degraded before', () => {
    const objection = judge({ updated: 1 }, application({ health: 'Degraded', healthSince: T }));
    expect(objection).toMatchObject({ state: 'progressing', reason: expect.stringContaining(`Degraded since ${T}`) });
    expect(objection?.fails).toBeUndefined();
  });
});

const signature: Signature = {
  name: 'serving_default',
  method: 'tensorflow/serving/predict',
  inputs: [
    { name: 'X', dtype: 'DT_FLOAT', shape: [-1, 1] },
    { name: 'Z', dtype: 'DT_STRING', shape: [] },
  ],
  outputs: [{ name: 'P', dtype: 'DT_FLOAT', shape: [-1, 1] }],
};

describe('signature', () => {
  it('does not depend on the order of tensors', () => {
    const turned = { ...signature, inputs: signature.inputs.toReversed() };
    expect(signatureHash(turned)).toBe(signatureHash(signature));
    expect(signatureDifference(signature, turned)).toBeUndefined();
  });
  it.each<[string, Partial<Signature>, RegExp]>([
    [
      'a type',
      { inputs: [{ name: 'X', dtype: 'DT_DOUBLE', shape: [-1, 1] }, signature.inputs[1] as never] },
      /DT_DOUBLE/,
    ],
    ['a shape', { outputs: [{ name: 'P', dtype: 'DT_FLOAT', shape: [-1, 2] }] }, /\[-1, 2\] is not approved/],
    ['a name', { outputs: [{ name: 'Q', dtype: 'DT_FLOAT', shape: [-1, 1] }] }, /output P .*missing/],
    ['a tensor less', { inputs: signature.inputs.slice(0, 1) }, /input Z .*missing/],
    ['the method', { method: 'tensorflow/serving/classify' }, /classify instead of/],
  ])('differs by %s', (_, change, words) => {
    expect(signatureDifference(signature, { ...signature, ...change })).toMatch(words);
  });
});

describe('served', () => {
  const pod = (name: string, change: Partial<Pod> = {}): Pod => ({
    name,
    ready: true,
    terminating: false,
    stamp: 'me',
    exitCodes: [],
    ...change,
  });
  const word = (change: Partial<PodWord> = {}): PodWord => ({
    pod: pod('a'),
    serving: 'AVAILABLE',
    signature,
    ...change,
  });
  const other: Signature = { ...signature, method: 'another' };

  it('asks pods that get requests', () => {
    const pods = [pod('a'), pod('b', { ready: false }), pod('c', { terminating: true })];
    expect(readyPods(pods).map(({ name }) => name)).toEqual(['a']);
  });
  it.each<[string, Pod[], string | undefined]>([
    ['all of ours', [pod('a'), pod('b')], undefined],
    ['one of an older change', [pod('a'), pod('b'), pod('c', { stamp: 'older' })], 'progressing'],
    ['too few', [pod('a')], 'progressing'],
    ['none', [], 'progressing'],
  ])('by pods: %s', (_, pods, state) => {
    expect(ours(pods, 'me', 2)?.state).toBe(state);
  });
  it.each<[string, PodWord[], Signature | string, string | undefined]>([
    ['all AVAILABLE with the approved signature', [word(), word()], signature, undefined],
    ['one still LOADING', [word(), word({ serving: 'LOADING' })], signature, 'progressing'],
    ['one with another version', [word({ serving: 'another version' })], signature, 'progressing'],
    ['one whose signature cannot be read', [word({ signature: 'it answers 500' })], signature, 'progressing'],
    ['no approved signature to compare with', [word()], 'no file', 'progressing'],
    ['another signature', [word(), word({ signature: other })], signature, 'degraded'],
  ])('%s', (_, words, approved, state) => {
    const objection = served(words, '7', approved);
    expect(objection?.state).toBe(state);
    // Not proven is not failed: it may be TensorFlow Serving that cannot be reached.
    expect(objection?.fails).toBeUndefined();
  });

  it('samples many pods evenly, the same each time', () => {
    const pods = Array.from({ length: 120 }, (_, i) => pod(`p${String(i).padStart(3, '0')}`));
    const names = sampled(pods).map(({ name }) => name);
    expect(new Set(names).size).toBe(50);
    expect(names).toEqual(sampled(pods.toReversed()).map(({ name }) => name));
    expect([names[0], names.at(-1)]).toEqual(['p000', 'p117']);
    expect(sampled(pods.slice(0, 50))).toHaveLength(50);
  });
});
