import { type Change, silentLogger } from '@fairway/core';
import { expect, it, vi } from 'vitest';
import { parseModelFile } from '../render/model-file.ts';
import { promoteAll, type PromotionContext, soakedIn } from './promotion.ts';

const file = parseModelFile(
  'm',
  `apiVersion: fairway.dev/v1
kind: Model
name: m
owner: a@example.com
source: { registry: directory }
environments:
  - { name: dev, namespace: m-dev, merge: auto, promote: { after: 1h } }
  - { name: staging, namespace: m-staging, merge: review }
  - { name: prod, namespace: m-prod, merge: review, promote: { after: 1h } }
`,
);
const at = (minutes: number) => new Date(Date.UTC(2026, 10, 22, 12, minutes)).toISOString();
const change = (environment: string, history: Array<[string, number]>) =>
  ({ environment, history: history.map(([phase, minutes]) => ({ phase, at: at(minutes) })) }) as unknown as Change;
const soaked = (live: readonly Change[], minutes: number) =>
  soakedIn(file, live, Date.parse(at(minutes))).map(({ from, to, since }) => [from.name, to.name, since]);

const inDev = change('dev', [
  ['merged', 0],
  ['live', 5],
]);

it.each<[string, readonly Change[], number, unknown[]]>([
  ['before its soak time is over', [inDev], 64, []],
  ['when it is over, counted from live and not from the merge', [inDev], 65, [['dev', 'staging', at(5)]]],
  [
    'live again: counted from the last time',
    [
      change('dev', [
        ['live', 5],
        ['superseded', 20],
        ['live', 30],
      ]),
    ],
    65,
    [],
  ],
  ['in an environment that says nothing of promotion', [change('staging', [['live', 0]])], 600, []],
  ['in the last environment', [change('prod', [['live', 0]])], 600, []],
  ['nowhere', [], 600, []],
])('is due %s', (_, live, minutes, due) => expect(soaked(live, minutes)).toEqual(due));

const PROD = 'models/home-equity/environments/prod';
/** What a change has put into prod, which may go on to the next environment. */
const FILES: Readonly<Record<string, string>> = {
  [`${PROD}/version.yaml`]: `apiVersion: fairway.dev/v1
approval:
  actor: alice@example.com
  environment: prod
  eventId: sas-task-4711
  model: home-equity
  time: 2026-11-22T08:30:00.000Z
  version: "2"
change: 0123456789abcdef0123
digest: sha256:${'2'.repeat(64)}
environment: prod
image: registry.example.com/models/home-equity@sha256:${'a'.repeat(64)}
intent: sha256:${'c'.repeat(64)}
kind: Version
model: home-equity
version: "2"
`,
  [`${PROD}/modelversion.json`]: '{}',
  [`${PROD}/baseline.json`]: '{}',
};

/** One version that has soaked in prod; `isGone`: whether a look at the cluster finds what it would find of something live. */
function soaking(isGone: boolean) {
  const model = parseModelFile(
    'home-equity',
    `apiVersion: fairway.dev/v1
kind: Model
name: home-equity
owner: a@example.com
source: { registry: directory }
environments:
  - { name: prod, namespace: home-equity-prod, merge: review, promote: { after: 1h } }
  - { name: dr, namespace: home-equity-dr, merge: review }
`,
  );
  const live = {
    ...change('prod', [['live', 0]]),
    id: '0123456789abcdef0123',
    // A retirement is live when nothing is there: the shortest of all proofs.
    kind: 'retire',
    model: 'home-equity',
    version: '2',
    digest: `sha256:${'2'.repeat(64)}`,
  } as unknown as Change;
  const waits = vi.fn();
  const accepted = vi.fn(async ({ change: made }: { change: Change }) => ({ created: true, change: made }));
  const context = {
    intake: { byEvent: async () => undefined, acceptApproval: accepted },
    changes: {
      live: async () => [live],
      list: async () => ({ changes: [] }),
      rollbackOf: async () => undefined,
      find: async () => ({ change: live, evidence: { kind: 'retire' }, facts: { mergeCommit: 'c'.repeat(40) } }),
    },
    repository: {
      head: async () => 'h'.repeat(40),
      read: async (_: string, path: string) => {
        const text = FILES[path];
        return text === undefined ? undefined : { text, blob: path };
      },
    },
    cluster: {
      application: async () => (isGone ? undefined : {}),
      deployment: async () => undefined,
    },
    models: { at: async () => model },
    verdicts: { inAlert: async () => undefined },
    clock: { now: () => Date.parse(at(120)) },
    log: { ...silentLogger, info: waits },
    wake: async () => {},
  } as unknown as PromotionContext;
  return { context, waits, accepted };
}

it('proposes what has soaked and is live', async () => {
  const { context, waits, accepted } = soaking(true);
  const ids = await promoteAll(context);
  expect([ids.length, waits.mock.calls]).toEqual([1, []]);
  expect(accepted.mock.calls[0]?.[0].change).toMatchObject({
    environment: 'dr',
    version: '2',
    actor: 'alice@example.com',
  });
});

it('leaves what has soaked where it is while it is not live any more', async () => {
  const { context, waits, accepted } = soaking(false);
  expect(await promoteAll(context)).toEqual([]);
  expect(accepted).not.toHaveBeenCalled();
  expect(waits).toHaveBeenCalledWith(
    expect.objectContaining({ reason: expect.stringMatching(/^it is progressing now: /) }),
    'a promotion has to wait',
  );
});
