import {
  asFairwayError,
  type Baseline,
  canonicalJson,
  type Clock,
  iso,
  type Logger,
  type Verdict,
} from '@fairway/core';
import { unknownChannels } from '../policy/channels.ts';
import { misfits } from '../policy/fit.ts';
import type { Policy } from '../policy/schema.ts';
import type { DirtyWindow, JudgeStore, PolicyFile, Writer } from '../ports.ts';
import { type Announcer, announcements } from './announce.ts';
import { evidenceOf } from './evidence.ts';
import { yardstick } from './first-good.ts';
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

/** A policy file as it was read; `policy` undefined: it cannot be used. */
type Current = { readonly file: PolicyFile; readonly policy: Policy | undefined };

/**
 * Judges every ended, quiet window whose counts changed; answers the new verdicts. A model whose policy cannot be had or read
 * is left for the next round, and does not hold up the others.
 */
export function windowJudge(needs: JudgeNeeds): () => Promise<readonly Verdict[]> {
  const policies = new Map<string, { readonly until: number; readonly current: Current | undefined }>();
  const tell = policyTeller(needs);
  const policyOf = async (model: string): Promise<Current | undefined> => {
    const cached = policies.get(model);
    if (cached !== undefined && cached.until > needs.clock.now()) return cached.current;
    const current = await readPolicy(needs, tell, model);
    policies.set(model, { until: needs.clock.now() + POLICY_FOR_MS, current });
    return current;
  };
  return async () => {
    const verdicts: Verdict[] = [];
    for (const model of await needs.store.dirtyModels()) {
      try {
        const current = await policyOf(model);
        if (current !== undefined) verdicts.push(...(await judgeModel(needs, tell, model, current)));
      } catch (error) {
        const { code, message } = asFairwayError(error);
        needs.log.warn({ model, code, reason: message }, 'windows of this model wait');
      }
    }
    return verdicts;
  };
}

type Tell = (model: string, current: Current, problem: string | undefined) => Promise<void>;

/** Keeps a policy for the dashboard, with what is wrong with it, once for as long as neither changes. */
function policyTeller({ store, announcer, log }: JudgeNeeds): Tell {
  const told = new Map<string, string>();
  return async (model, { file, policy }, problem) => {
    const now = canonicalJson([file.blob, problem ?? null]);
    if (told.get(model) === now) return;
    const unknown = policy === undefined ? [] : unknownChannels(policy, announcer.channels);
    const remark = unknown.length === 0 ? undefined : unknown.join(' ');
    await store.keepPolicy(model, file, { problem, remark });
    told.set(model, now);
    if (problem !== undefined) log.info({ model, policy: file.blob, reason: problem }, 'the policy cannot be used');
    if (remark !== undefined)
      log.info({ model, policy: file.blob, reason: remark }, 'the policy names unknown channels');
  };
}

async function readPolicy(needs: JudgeNeeds, tell: Tell, model: string): Promise<Current | undefined> {
  const file = await needs.writer.policy(model);
  if (file === undefined) {
    needs.log.info({ model }, 'the model has no policy.yaml, so its windows are not judged');
    return undefined;
  }
  try {
    return { file, policy: needs.parsePolicy(file.text, model) };
  } catch (error) {
    const unusable = { file, policy: undefined };
    await tell(model, unusable, (error as Error).message);
    return unusable;
  }
}

/** A version's windows wait while the policy asks for what it lacks: a rule that can never speak would pass for one that holds. */
async function judgeModel(needs: JudgeNeeds, tell: Tell, model: string, current: Current): Promise<Verdict[]> {
  const { file, policy } = current;
  if (policy === undefined) return [];
  const { store, references, clock, log } = needs;
  const problems = new Set<string>();
  const verdicts: Verdict[] = [];
  for (const dirty of await store.dirtyWindows(model, policy.period.every, needs.settleMs)) {
    const window = {
      model,
      version: dirty.version,
      environment: dirty.environment,
      ...periodAt(policy.period.every, dirty.start),
    };
    if (Date.parse(window.end) + (policy.period.labelDelay ?? 0) > clock.now()) continue;
    const baseline = (await references(model, window.version))?.baseline;
    // The recorder counts those hours again now; until then a baseline would find that every input has moved.
    if (dirty.isUncounted && baseline !== undefined) continue;
    const unfit = baseline === undefined ? [] : [...foreign(baseline, window), ...misfits(policy, baseline)];
    unfit.forEach((problem) => problems.add(problem));
    if (unfit.length > 0) continue;
    const held = await yardstick(store, window, baseline, policy);
    const verdict = await judgeWindow(needs, { window, dirty, baseline: held, policy, file });
    if (verdict === undefined) continue;
    log.info({ model, version: window.version, period: window.period, state: verdict.state }, 'window judged');
    verdicts.push(verdict);
  }
  await tell(
    model,
    current,
    problems.size === 0 ? undefined : `Windows of ${model} are not judged: ${[...problems].join(' ')}`,
  );
  return verdicts;
}

/** A baseline of other bytes would make of every difference between two versions a drift. */
function foreign({ model, version }: Baseline, window: Verdict['window']): string[] {
  if (model === window.model && version === window.version) return [];
  return [
    `The baseline committed with version ${window.version} is that of ${model} version ${version}: deploy the version with its own baseline.json.`,
  ];
}

type Due = {
  readonly window: Verdict['window'];
  readonly dirty: DirtyWindow;
  readonly baseline: Baseline | undefined;
  readonly policy: Policy;
  readonly file: PolicyFile;
};

async function judgeWindow(
  { store, announcer, clock }: JudgeNeeds,
  { window, dirty, baseline, policy, file }: Due,
): Promise<Verdict | undefined> {
  const { every } = policy.period;
  const back = lookBack(policy);
  const starts = back === 0 ? [] : await store.earlierStarts(window, every, back);
  const earlier = await Promise.all(starts.map((start) => store.counts({ ...window, ...periodAt(every, start) })));
  const evidence = { window, counts: await store.counts(window), earlier, baseline, policy, blob: file.blob };
  const judgement = judge(evidence);
  const before = await store.verdictBefore(window);
  const judgedAt = iso(clock.now());
  const items = announcements(judgement, policy, before, announcer);
  const isNew = await store.keep(judgement, judgedAt, items, dirty.marks, evidenceOf(evidence, file));
  return isNew ? { ...judgement, judgedAt } : undefined;
}
