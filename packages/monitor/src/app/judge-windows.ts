import { asFairwayError, type Clock, iso, type Logger, type Verdict } from '@fairway/core';
import type { Policy } from '../policy/schema.ts';
import type { DirtyWindow, JudgeStore, PolicyFile, Writer } from '../ports.ts';
import { type Announcer, announcements } from './announce.ts';
import { judge } from './judge.ts';
import { lookBack } from './judge-rule.ts';
import { periodAt } from './periods.ts';
import type { References } from './references.ts';

export type JudgeNeeds = {
  readonly store: JudgeStore;
  readonly writer: Pick<Writer, 'policy'>;
  readonly references: References;
  readonly parsePolicy: (text: string, model: string) => Policy;
  readonly announcer: Announcer;
  readonly clock: Clock;
  readonly log: Logger;
  /** A window is judged when its counts have been quiet for so long. */
  readonly settleMs: number;
};

/** A policy is read again from the writer after this long. */
const POLICY_FOR_MS = 5_000;

type Current = { readonly policy: Policy; readonly blob: string };

/**
 * Judges every ended, quiet window whose counts changed; answers the new verdicts. A model whose policy cannot be had or read
 * is left for the next round, and does not hold up the others.
 */
export function windowJudge(needs: JudgeNeeds): () => Promise<readonly Verdict[]> {
  const policies = new Map<string, { readonly until: number; readonly current: Current | undefined }>();
  const policyOf = async (model: string): Promise<Current | undefined> => {
    const cached = policies.get(model);
    if (cached !== undefined && cached.until > needs.clock.now()) return cached.current;
    const current = await readPolicy(needs, model);
    policies.set(model, { until: needs.clock.now() + POLICY_FOR_MS, current });
    return current;
  };
  return async () => {
    const verdicts: Verdict[] = [];
    for (const model of await needs.store.dirtyModels()) {
      try {
        const current = await policyOf(model);
        if (current !== undefined) verdicts.push(...(await judgeModel(needs, model, current)));
      } catch (error) {
        const { code, message } = asFairwayError(error);
        needs.log.warn({ model, code, reason: message }, 'windows of this model wait');
      }
    }
    return verdicts;
  };
}

async function readPolicy(
  { store, writer, parsePolicy, log }: JudgeNeeds,
  model: string,
): Promise<Current | undefined> {
  const file = await writer.policy(model);
  if (file === undefined) {
    log.info({ model }, 'the model has no policy.yaml, so its windows are not judged');
    return undefined;
  }
  const parsed = parse(parsePolicy, file, model);
  await store.keepPolicy(model, file, 'problem' in parsed ? parsed.problem : undefined);
  if ('policy' in parsed) return parsed;
  log.info({ model, policy: file.blob, reason: parsed.problem }, 'the policy cannot be used');
  return undefined;
}

function parse(
  parsePolicy: JudgeNeeds['parsePolicy'],
  file: PolicyFile,
  model: string,
): Current | { readonly problem: string } {
  try {
    return { policy: parsePolicy(file.text, model), blob: file.blob };
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

async function judgeModel(needs: JudgeNeeds, model: string, { policy, blob }: Current): Promise<Verdict[]> {
  const { store, clock, log } = needs;
  const verdicts: Verdict[] = [];
  for (const dirty of await store.dirtyWindows(model, policy.period.every, needs.settleMs)) {
    const window = {
      model,
      version: dirty.version,
      environment: dirty.environment,
      ...periodAt(policy.period.every, dirty.start),
    };
    if (Date.parse(window.end) + (policy.period.labelDelay ?? 0) > clock.now()) continue;
    const verdict = await judgeWindow(needs, window, dirty, policy, blob);
    if (verdict === undefined) continue;
    log.info({ model, version: window.version, period: window.period, state: verdict.state }, 'window judged');
    verdicts.push(verdict);
  }
  return verdicts;
}

async function judgeWindow(
  { store, references, announcer, clock }: JudgeNeeds,
  window: Verdict['window'],
  dirty: DirtyWindow,
  policy: Policy,
  blob: string,
): Promise<Verdict | undefined> {
  const { every } = policy.period;
  const back = lookBack(policy);
  const starts = back === 0 ? [] : await store.earlierStarts(window, every, back);
  const earlier = await Promise.all(starts.map((start) => store.counts({ ...window, ...periodAt(every, start) })));
  const reference = await references(window.model, window.version);
  const counts = await store.counts(window);
  const judgement = judge({ window, counts, earlier, baseline: reference?.baseline, policy, blob });
  const verdicts = await store.verdicts({ model: window.model, environment: window.environment });
  const before = verdicts.filter((one) => one.window.start < window.start && one.state !== 'insufficient').at(-1);
  const judgedAt = iso(clock.now());
  const items = announcements(judgement, policy, before, announcer);
  return (await store.keep(judgement, judgedAt, items, dirty.marks)) ? { ...judgement, judgedAt } : undefined;
}
