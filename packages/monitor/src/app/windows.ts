import type { Verdict, VerdictState, Window } from '@fairway/core';
import { CUTOFF, inputFigures, windowFigures, type WindowAnalysis } from '../analyze/window.ts';
import { totals } from '../metrics/counts.ts';
import type { PeriodLength, Policy } from '../policy/schema.ts';
import type { JudgeStore, StoredPolicy, WindowCounts } from '../ports.ts';
import { yardstick } from './first-good.ts';
import { periodAt } from './periods.ts';
import type { References } from './references.ts';

/** What is asked of the stored windows of a model. `every`: as the policy says where it is undefined. */
export type WindowsAsked = {
  readonly model: string;
  readonly environment: string | undefined;
  readonly every: PeriodLength | undefined;
  /** So many windows, the newest. */
  readonly last: number;
};

type WindowStart = Pick<Window, 'version' | 'environment' | 'start'>;

/** Where a version has counts, newest window first. */
export type WindowStarts = (
  asked: Omit<WindowsAsked, 'every'> & { readonly every: PeriodLength },
) => Promise<readonly WindowStart[]>;

/** A stored window in the words of `fairway analyze`, which reads files. `verdict`: null where nobody has judged it. */
export type StoredWindow = Pick<Window, 'model' | 'version' | 'environment' | 'start' | 'end'> &
  Pick<
    WindowAnalysis,
    | 'name'
    | 'rows'
    | 'labelled'
    | 'eventRate'
    | 'auc'
    | 'aucInterval'
    | 'ks'
    | 'gini'
    | 'psi'
    | 'psiWithMissing'
    | 'missing'
    | 'findings'
    | 'unanswered'
    | 'figures'
    | 'inputs'
    | 'classes'
    | 'segments'
    | 'psiNoise'
  > & {
    readonly verdict: VerdictState | null;
    /** What `fairway judge --replay` asks for. */
    readonly verdictId: string | null;
    /** Git blob id of the policy that it was judged by. */
    readonly policy: string | null;
    readonly judgedAt: string | null;
  };

export type StoredWindows = { readonly every: PeriodLength; readonly windows: readonly StoredWindow[] };

type Needs = {
  readonly starts: WindowStarts;
  readonly store: Pick<JudgeStore, 'counts' | 'firstStarts' | 'verdicts'>;
  readonly policy: (model: string) => Promise<StoredPolicy | undefined>;
  readonly references: References;
  readonly parsePolicy: (text: string, model: string) => Policy;
};

/** Where no policy says how long a window is. */
const NO_POLICY: PeriodLength = 'month';

/**
 * The figures of stored windows, oldest first, made from their counts as they are now; the verdict is the newest that was
 * made, on the counts of its moment. Unlike a verdict's figures, performance is shown at any label coverage.
 */
export const storedWindows =
  ({ starts, store, policy, references, parsePolicy }: Needs) =>
  async (asked: WindowsAsked): Promise<StoredWindows> => {
    const { model, environment } = asked;
    const usable = usableOf(await policy(model), (text) => parsePolicy(text, model));
    const every = asked.every ?? usable?.period.every ?? NO_POLICY;
    const verdicts = await store.verdicts({ model, ...(environment === undefined ? {} : { environment }) });
    const windows: StoredWindow[] = [];
    for (const { version, environment: place, start } of await starts({ ...asked, every })) {
      const window = { model, version, environment: place, ...periodAt(every, start) };
      const committed = (await references(model, version))?.baseline;
      const held = usable && { ...usable, period: { ...usable.period, every } };
      const baseline = held === undefined ? committed : await yardstick(store, window, committed, held);
      const counts = await store.counts(window);
      windows.push(storedWindow(window, counts, verdictOn(window, verdicts), baseline));
    }
    return { every, windows: windows.toReversed() };
  };

const usableOf = (policy: StoredPolicy | undefined, parse: (text: string) => Policy): Policy | undefined =>
  policy === undefined || policy.problem !== null ? undefined : parse(policy.text);

const verdictOn = (window: Window, verdicts: readonly Verdict[]): Verdict | undefined =>
  verdicts.find(({ window: { version, environment, start, end } }) => {
    const isSame = version === window.version && environment === window.environment;
    return isSame && start === window.start && end === window.end;
  });

function storedWindow(
  { period, ...window }: Window,
  counts: WindowCounts,
  verdict: Verdict | undefined,
  baseline: Parameters<typeof windowFigures>[1],
): StoredWindow {
  return {
    name: period,
    ...window,
    ...windowFigures(counts, baseline, CUTOFF),
    ...inputFigures(counts, baseline),
    rows: totals(counts).predictions,
    verdict: verdict?.state ?? null,
    verdictId: verdict?.id ?? null,
    findings: (verdict?.findings ?? []).map((finding) => ({ ...finding, variable: finding.variable ?? null })),
    ...(verdict?.unanswered === undefined ? {} : { unanswered: verdict.unanswered }),
    ...(verdict?.segments === undefined ? {} : { segments: verdict.segments }),
    policy: verdict?.policy ?? null,
    judgedAt: verdict?.judgedAt ?? null,
  };
}
