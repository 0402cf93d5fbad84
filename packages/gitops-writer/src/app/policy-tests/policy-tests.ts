import { type Logger, type Part, pause, redact } from '@fairway/core';
import type { BranchEdits, Exclusive, Forge, ForgePullRequest, PolicyTester, Repository } from '../../ports.ts';
import { type PolicyEdit, policyComment, policyStatus } from '../../render/policy-comment.ts';

export type PolicyTestContext = {
  readonly repository: Repository;
  readonly branches: BranchEdits;
  readonly forge: Forge;
  readonly tester: PolicyTester;
  readonly exclusive: Exclusive;
  /** Characters that a comment may have. */
  readonly bodyLimit: number;
  readonly log: Logger;
};

type Looking = PolicyTestContext & { readonly signal: AbortSignal };

const POLICY = /^models\/([^/]+)\/policy\.yaml$/;
const MARKER = '<!-- fairway:policy-test -->';
const CONTEXT = 'fairway/policy';
/** Branches of our own changes never touch a policy. */
const OURS = 'fairway/';

/** Something that may become the default branch; `key` names it among all: a branch, or a pull request from a fork. */
type Source = {
  readonly key: string;
  readonly commit: string;
  readonly pull: () => Promise<ForgePullRequest | undefined>;
};

/**
 * What of a source is known; `edits`: models whose policy it changes, `told`: the commits that its comment speaks of. `rest`: it had
 * no open pull request, or could not be told, and is left alone for `left` of `of` looks.
 */
type Seen = {
  readonly commit: string;
  readonly edits: readonly string[];
  readonly told?: string;
  readonly rest?: { readonly of: number; readonly left: number };
};

/** Ten minutes of looks. A forge counts what it is asked, branches that nobody ever proposes stay for years, and a test is minutes of work. */
const LONGEST_REST = 20;

/**
 * Tests the policies that people's pull requests edit, every `everyMs`: one comment each, edited when there is another answer, and
 * a commit status. Only what moved is looked at; after a restart all is, and the comment is found and stays. Of forks only the
 * commit is got, from our own remote, and read: nothing of it is checked out or run.
 */
export function policyTester(context: PolicyTestContext, everyMs: number): Part {
  const stopping = new AbortController();
  const { signal } = stopping;
  const seen = new Map<string, Seen>();
  let loop: Promise<void> | undefined;
  const run = async () => {
    while (!signal.aborted) {
      for (const sources of [branchesOf, forksOf]) {
        await testPolicies({ ...context, signal }, sources, seen).catch((error: Error) =>
          context.log.warn({ reason: redact(error.message) }, 'edited policies cannot be looked for'),
        );
      }
      await pause(everyMs, signal);
    }
  };
  return {
    name: 'policy tests',
    start: () => {
      loop = run();
    },
    stop: async () => {
      stopping.abort();
      await loop;
    },
  };
}

type Sources = (context: PolicyTestContext) => Promise<{ readonly kind: string; readonly all: readonly Source[] }>;

const branchesOf: Sources = async ({ branches, forge }) => {
  const people = [...branches.all()].filter(([branch]) => !branch.startsWith(OURS));
  const all = people.map(([branch, commit]) => ({ key: `branch ${branch}`, commit, pull: () => forge.find(branch) }));
  return { kind: 'branch ', all };
};

const forksOf: Sources = async ({ forge }) => {
  const all: Source[] = [];
  for await (const { number, headSha } of forge.foreign()) {
    all.push({ key: `fork ${number}`, commit: headSha, pull: () => forge.read(number) });
  }
  return { kind: 'fork ', all };
};

/** One look at all sources of a kind. What fails on one holds up no other and is tried again, ever more seldom. */
async function testPolicies(context: Looking, sources: Sources, seen: Map<string, Seen>): Promise<void> {
  const head = await context.repository.head(0);
  const { kind, all } = await sources(context);
  const keys = new Set(all.map(({ key }) => key));
  for (const key of seen.keys()) if (key.startsWith(kind) && !keys.has(key)) seen.delete(key);
  for (const source of all) {
    if (context.signal.aborted) return;
    const { key, commit } = source;
    if (commit === head) continue;
    try {
      const known = seen.get(key);
      const current = known?.commit === commit ? known : { commit, edits: await editedIn(context, head, commit) };
      seen.set(key, current);
      if (current.edits.length > 0) seen.set(key, await testSource(context, source, current, head));
    } catch (error) {
      if (context.signal.aborted) return;
      const known = seen.get(key);
      if (known !== undefined) seen.set(key, { ...known, rest: longer(known.rest?.of ?? 0) });
      context.log.info({ source: key, reason: redact((error as Error).message) }, 'a policy cannot be tested yet');
    }
  }
}

async function editedIn({ branches }: PolicyTestContext, head: string, commit: string): Promise<string[]> {
  if (!(await branches.get(commit))) throw new Error(`The repository does not give commit ${commit}.`);
  return (await branches.changed(head, commit)).flatMap((path) => POLICY.exec(path)?.[1] ?? []);
}

/** One replica at a time: two that both find no comment would both write one. */
async function testSource(context: Looking, source: Source, seen: Seen, head: string): Promise<Seen> {
  const { forge, exclusive, log } = context;
  const sides = await Promise.all(seen.edits.map((model) => policiesOf(context, model, head, seen.commit)));
  // The default branch may move without touching the policy; what it says now is what is compared with.
  const told = JSON.stringify([seen.commit, sides.map(({ current }) => current?.blob)]);
  const differ = sides.filter(({ proposed, current }) => proposed?.blob !== current?.blob);
  if (seen.told === told || differ.length === 0) return seen;
  const { rest = { of: 0, left: 0 } } = seen;
  if (rest.left > 0) return { ...seen, rest: { ...rest, left: rest.left - 1 } };
  const pull = await source.pull();
  if (pull?.state !== 'open' || pull.headSha !== seen.commit) return { ...seen, rest: longer(rest.of) };
  const turn = `policy ${source.key}`;
  if (!(await exclusive.take(turn))) return seen;
  try {
    const edits: PolicyEdit[] = [];
    for (const side of differ) edits.push(await tested(context, side));
    await forge.comment(pull.number, MARKER, policyComment(edits, seen.commit, context.bodyLimit));
    await forge.setStatus(seen.commit, { context: CONTEXT, ...policyStatus(edits) });
    log.info({ pull: pull.number, models: seen.edits }, 'the policy of a pull request was tested');
    return { commit: seen.commit, edits: seen.edits, told };
  } finally {
    await exclusive.drop(turn);
  }
}

/** Doubled each time: who is proposed late is tested at most twice as late. */
function longer(of: number): NonNullable<Seen['rest']> {
  const looks = Math.min(2 * of + 1, LONGEST_REST);
  return { of: looks, left: looks };
}

type File = Awaited<ReturnType<Repository['read']>>;
type Sides = { readonly model: string; readonly proposed: File; readonly current: File };

async function policiesOf(
  { repository }: PolicyTestContext,
  model: string,
  head: string,
  commit: string,
): Promise<Sides> {
  const path = `models/${model}/policy.yaml`;
  const [proposed, current] = [await repository.read(commit, path), await repository.read(head, path)];
  return { model, proposed, current };
}

async function tested({ tester, signal }: Looking, { model, proposed, current }: Sides): Promise<PolicyEdit> {
  const test = async (file: File) => (file === undefined ? undefined : tester.test(model, file.text, signal));
  return { model, proposed: await test(proposed), current: await test(current) };
}
