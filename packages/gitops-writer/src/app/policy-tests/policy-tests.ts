import { type Part, pause, redact } from '@fairway/core';
import { branchSources, forkSources, type SourceContext, type Sources } from './sources.ts';
import { rested, type Seen, type TellingContext, tellOf } from './telling.ts';

export type PolicyTestContext = Omit<TellingContext, 'signal'> & SourceContext;

type Looking = TellingContext & SourceContext;

const POLICY = /^models\/([^/]+)\/policy\.yaml$/;
/** Held by the one replica that looks. */
const WATCH = 'policy tests';

/**
 * Tests the policies that people's pull requests edit, every `everyMs`: one comment each, edited when there is another answer, and
 * a commit status. One replica does it for all, and when it is gone another one. Only what moved is looked at; after a restart all is, and
 * the comment is found and stays. Of forks only the commit is got, from our own remote and up to a size, and read: nothing of it is
 * checked out or run.
 */
export function policyTester(context: PolicyTestContext, everyMs: number): Part {
  const stopping = new AbortController();
  const { signal } = stopping;
  const { exclusive, log } = context;
  let looks: Look[] | undefined;
  let loop: Promise<void> | undefined;
  const once = async () => {
    const isOurs = await exclusive.keep(WATCH);
    if (isOurs)
      looks ??= [branchSources(context), forkSources(context)].map((sources) => looker(context, sources, signal));
    // Another one has looked meanwhile.
    else looks = undefined;
    for (const look of looks ?? []) {
      await look().catch((error: Error) =>
        log.warn({ reason: redact(error.message) }, 'edited policies cannot be looked for'),
      );
    }
  };
  const run = async () => {
    while (!signal.aborted) {
      await once().catch((error: Error) =>
        log.warn({ reason: redact(error.message) }, 'who looks for edited policies is not known'),
      );
      await pause(everyMs, signal);
    }
    await exclusive.drop(WATCH);
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

type Look = () => Promise<void>;

/** Looks at all sources of a kind. What fails on one holds up no other and is tried again, ever more seldom. */
function looker(context: PolicyTestContext, sources: Sources, signal: AbortSignal): Look {
  const seen = new Map<string, Seen>();
  const looking = { ...context, signal };
  return async () => {
    const head = await context.repository.head(0);
    const { kind, all } = await sources();
    const keys = new Set(all.map(({ key }) => key));
    for (const key of seen.keys()) if (key.startsWith(kind) && !keys.has(key)) seen.delete(key);
    for (const source of all) {
      if (signal.aborted) return;
      const { key, commit } = source;
      if (commit === head) continue;
      try {
        const known = seen.get(key);
        const current = known?.commit === commit ? known : await found(looking, head, commit);
        seen.set(key, current);
        seen.set(key, await tellOf(looking, source, current, head));
      } catch (error) {
        if (signal.aborted) return;
        const known = seen.get(key);
        if (known !== undefined) seen.set(key, rested(known));
        context.log.info({ source: key, reason: redact((error as Error).message) }, 'a policy cannot be tested yet');
      }
    }
  };
}

async function found({ branches }: Looking, head: string, commit: string): Promise<Seen> {
  const got = await branches.get(commit);
  if (got === 'absent') throw new Error(`The repository does not give commit ${commit}.`);
  if (got !== 'here') return { commit, edits: [], ...got };
  const edits = (await branches.changed(head, commit)).flatMap((path) => POLICY.exec(path)?.[1] ?? []);
  return { commit, edits };
}
