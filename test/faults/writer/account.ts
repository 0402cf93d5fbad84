import type { Change } from '@fairway/core';
import { type ForgeFields, MODEL, type World } from '../../integration/writer/world.ts';
import { eventually, type Team } from './team.ts';

/** How one change is to have ended. */
export type EndedChange = {
  readonly id: string;
  readonly phase: Change['phase'];
  /** Its one pull request. */
  readonly title: string;
  readonly state: 'merged' | 'closed';
  /** How its one comment begins. */
  readonly says: string;
  /** How often its branch was written after it had been made; undefined: not at all. */
  readonly updates?: number;
  /** What its merge commit says of it; undefined: that it is live. */
  readonly live?: 'failure';
};

/** What there is to be after a story, no more and no less. */
export type Ending = {
  /** Those that the story has made. */
  readonly made: readonly EndedChange[];
  /** Those that were there before, and that it has ended. */
  readonly ended?: readonly EndedChange[];
  /** Those that were live before, and their phase now. */
  readonly left?: ReadonlyArray<{ readonly id: string; readonly phase: Change['phase'] }>;
  /** Events of the cards. */
  readonly cards: readonly string[];
  /** What the default branch is to hold; each sentence says what is wrong. */
  readonly content: () => Promise<readonly string[]>;
  /** Commits of people on the default branch meanwhile. */
  readonly edits?: number;
};

/** What there is at the beginning of a story; told apart from what is there at its end. */
export type Account = { wrongWith(ending: Ending, struck: boolean): Promise<string[]> };

export async function openAccount(team: Team): Promise<Account> {
  const { world, origin } = team;
  await quiet(team);
  const before = {
    changes: new Set((await changesOf(team)).map(({ id }) => id)),
    pulls: new Set((await pullsOf(world)).map(({ number }) => number)),
    cards: new Set((await notificationsOf(team)).map(({ deliveryId }) => deliveryId)),
    received: world.cards.length,
    branches: await origin.branches(),
    head: await origin.head(),
  };
  return {
    wrongWith: async (ending, struck) => {
      await quiet(team);
      const { made, ended = [], left = [], edits = 0 } = ending;
      const changes = await changesOf(team);
      const pulls = await pullsOf(world);
      const fresh = changes.filter(({ id }) => !before.changes.has(id)).map(({ id }) => id);
      const opened = pulls.filter(({ number }) => !before.pulls.has(number));
      const cards = (await notificationsOf(team)).filter(({ deliveryId }) => !before.cards.has(deliveryId));
      const commits = await origin.since(before.head);
      const merges = [...made, ...ended].filter(({ state }) => state === 'merged').length;
      const all = await Promise.all([...made, ...ended].map((one) => wrongWithChange(one, changes, pulls, team)));
      const gone = [...ended].map(({ id }) => changes.find((change) => change.id === id)?.branch);
      return [
        ...differs(
          'the changes',
          made.map(({ id }) => id),
          fresh,
        ),
        ...differs(
          'the new pull requests',
          made.map(({ title }) => title),
          opened.map(({ title }) => title),
        ),
        ...differs(
          'the cards',
          ending.cards,
          cards.map(({ event }) => event),
        ),
        ...received(
          world,
          before.received,
          cards.map(({ deliveryId }) => deliveryId),
          struck,
        ),
        ...differs(
          'the branches',
          before.branches.filter((name) => !gone.includes(name)),
          await origin.branches(),
        ),
        ...(commits.length === merges + edits ? [] : [`the default branch got ${commits.join(', ')}`]),
        ...left.flatMap(({ id, phase }) => wrongPhase(id, phase, changes)),
        ...all.flat(),
        ...(await ending.content()),
      ];
    },
  };
}

/** Nothing is on its way any more: every card was told, and the branches of what has ended are gone. */
async function quiet(team: Team): Promise<void> {
  let waiting: unknown;
  await eventually(
    async () => {
      waiting = (await notificationsOf(team)).filter(({ state }) => state !== 'accepted');
      return (waiting as readonly unknown[]).length === 0 ? true : undefined;
    },
    () => `cards are still to be told: ${JSON.stringify(waiting)}`,
  );
}

type Told = { readonly deliveryId: string; readonly event: string; readonly state: string };

const notificationsOf = async ({ ask }: Team): Promise<readonly Told[]> =>
  (await ask('GET', '/v1/notifications')).body.notifications as unknown as readonly Told[];

const changesOf = async ({ ask }: Team): Promise<readonly Change[]> => {
  const found: Change[] = [];
  for (let cursor = ''; ; ) {
    const { body } = await ask('GET', `/v1/changes?model=${MODEL}&limit=200${cursor}`);
    found.push(...body.changes);
    const { next } = body as { next?: string };
    if (next === undefined) return found;
    cursor = `&cursor=${encodeURIComponent(next)}`;
  }
};

const PAGE = 50;

async function pullsOf(world: World): Promise<ForgeFields[]> {
  const found: ForgeFields[] = [];
  for (let page = 1; ; page += 1) {
    const { body } = await world.onForge('GET', `/pulls?state=all&sort=oldest&limit=${PAGE}&page=${page}`);
    found.push(...body);
    if (body.length < PAGE) return found;
  }
}

async function wrongWithChange(
  wanted: EndedChange,
  changes: readonly Change[],
  pulls: readonly ForgeFields[],
  { world, origin }: Team,
): Promise<string[]> {
  const { id, title, state, says, updates = 0 } = wanted;
  const change = changes.find((one) => one.id === id);
  if (change === undefined) return [`there is no change ${id}`];
  const { branch } = change;
  const own = pulls.filter(({ head }) => head.label === branch);
  const [pull] = own;
  if (pull === undefined || own.length > 1) return [`${branch} has ${own.length} pull requests`];
  const now = (pull as unknown as { merged: boolean; state: string }).merged ? 'merged' : pull.state;
  const comments = (await world.onForge('GET', `/issues/${pull.number}/comments`)).body.map(({ body }) => body);
  const pushes = ['create', ...Array.from({ length: updates }, () => 'update'), 'delete'];
  return [
    ...wrongPhase(id, wanted.phase, changes),
    ...(pull.title === title ? [] : [`the pull request of ${branch} is called ${pull.title}`]),
    ...(now === state ? [] : [`pull request #${pull.number} (${title}) is ${now}`]),
    ...(change.pullRequest?.number === pull.number ? [] : [`${branch} does not know its pull request`]),
    ...(comments.length === 1 && comments[0]?.startsWith(says) === true
      ? []
      : [`#${pull.number} says ${json(comments)}`]),
    ...(origin.pushes(branch).join() === pushes.join()
      ? []
      : [`${branch} was pushed to: ${origin.pushes(branch).join()}`]),
    ...(await wrongStatus(wanted, change, world)),
  ];
}

/** A change that is live says so on its merge commit; one that came to nothing leaves no head that looks approved. */
async function wrongStatus({ state, live }: EndedChange, change: Change, world: World): Promise<string[]> {
  const { pullRequest } = change;
  const commit = state === 'merged' ? pullRequest?.mergeCommit : pullRequest?.headSha;
  const wanted = state === 'merged' ? ['fairway/live', live ?? 'success'] : ['fairway/approval', 'failure'];
  const { body } = await world.onForge('GET', `/commits/${commit}/status`);
  const said = body.statuses.find(({ context }) => context === wanted[0])?.status;
  return said === wanted[1] ? [] : [`status ${wanted[0]} of ${change.kind} ${change.id} is ${said}`];
}

function wrongPhase(id: string, phase: Change['phase'], changes: readonly Change[]): string[] {
  const change = changes.find((one) => one.id === id);
  if (change?.phase === phase) return [];
  return [`change ${id} is ${change?.phase}, and should be ${phase}: ${change?.reason}`];
}

/** Teams got each card; that which was under way at the kill may have come twice, under the same delivery id. */
function received(world: World, from: number, deliveries: readonly string[], struck: boolean): string[] {
  const got = world.cards.slice(from).map((card) => factOf(card, 'Delivery'));
  const twice = got.length - new Set(got).size;
  return [
    ...differs('the deliveries at Teams', deliveries, [...new Set(got)]),
    ...(twice <= (struck ? 1 : 0) ? [] : [`${twice} cards came twice`]),
  ];
}

function factOf({ attachments }: World['cards'][number], name: string): string {
  const facts = attachments.flatMap(({ content }) => content.body.flatMap((element) => element.facts ?? []));
  return facts.find(({ title }) => title === name)?.value ?? '';
}

const json = (value: unknown): string => JSON.stringify(value);

function differs(what: string, wanted: readonly string[], found: readonly string[]): string[] {
  const [one, other] = [wanted, found].map((list) => list.toSorted().join(', '));
  return one === other ? [] : [`${what} should be ${one}, and are ${other}`];
}
