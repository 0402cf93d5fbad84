import { asFairwayError, type CardContent, type Clock, hashFields, iso } from '@fairway/core';
import type { CheckStore, DeadRetrain, FutureHours, RemarkedPolicy, UnusablePolicy } from '../ports/notify.ts';
import type { OutboxItem, Writer } from '../ports.ts';
import type { CardPayload } from './announce.ts';

/** So long may the writer be away before people are told: rollouts and restarts are no news. */
const WRITER_PATIENCE_MS = 10 * 60_000;

export type WatchNeeds = {
  readonly store: CheckStore;
  readonly writer: Pick<Writer, 'models'>;
  readonly dashboardUrl: string | undefined;
  readonly clock: Clock;
};

/**
 * Tells when a check cannot be made: a policy that cannot be used, a retraining that could not be asked for, predictions of a clock
 * that runs ahead, a writer that has been away for long. Keys follow from what is wrong, so that it is told once however often it is seen.
 */
export function checkWatcher({ store, writer, dashboardUrl, clock }: WatchNeeds): () => Promise<boolean> {
  let silentSince: number | undefined;
  const dashboard = dashboardUrl?.replace(/\/$/, '');
  const silence = async (): Promise<OutboxItem[]> => {
    const problem = await writer.models().then(
      () => undefined,
      (error: unknown) => asFairwayError(error).message,
    );
    silentSince = problem === undefined ? undefined : (silentSince ?? clock.now());
    if (problem === undefined || silentSince === undefined) return [];
    return clock.now() - silentSince < WRITER_PATIENCE_MS
      ? []
      : [silentWriter(problem, silentSince, clock.now(), dashboard)];
  };
  return async () => {
    const policies = (await store.unusablePolicies()).map((one) => unusablePolicy(one, dashboard));
    const remarks = (await store.remarkedPolicies()).map((one) => remarkedPolicy(one, dashboard));
    const retrains = (await store.deadRetrains()).map((one) => deadRetrain(one, dashboard));
    const ahead = (await store.futureHours(clock.now())).map((one) => ofFuture(one, dashboard));
    await store.add([...policies, ...remarks, ...retrains, ...ahead, ...(await silence())]);
    return false;
  };
}

const unusablePolicy = ({ model, blob, problem }: UnusablePolicy, dashboard: string | undefined): OutboxItem =>
  ofPolicy(model, blob, dashboard, {
    event: 'check-failed',
    title: `${model} cannot be checked: its policy cannot be used`,
    text: `${problem}\nUntil it is mended no window of this model is judged.`,
    key: ['policy', model, blob, problem],
  });

const remarkedPolicy = ({ model, blob, remark }: RemarkedPolicy, dashboard: string | undefined): OutboxItem =>
  ofPolicy(model, blob, dashboard, {
    event: 'policy-mistake',
    title: `The policy of ${model} names a channel that there is not`,
    text: `${remark}\nWindows are judged all the same; what was meant for it is kept as given up.`,
    key: ['channel', model, blob, remark],
  });

type OfPolicy = Pick<CardContent, 'event' | 'title' | 'text'> & { readonly key: readonly string[] };

const ofPolicy = (model: string, blob: string, dashboard: string | undefined, { key, ...said }: OfPolicy): OutboxItem =>
  item(
    { model, version: '', environment: '' },
    {
      ...said,
      facts: [
        { title: 'Model', value: model },
        { title: 'Policy', value: blob.slice(0, 12) },
      ],
      tone: 'attention',
    },
    key,
    dashboard === undefined ? undefined : `${dashboard}/models/${encodeURIComponent(model)}`,
  );

const deadRetrain = (
  { model, version, environment, deliveryId, reason }: DeadRetrain,
  dashboard: string | undefined,
): OutboxItem =>
  item(
    { model, version, environment },
    {
      event: 'retrain-failed',
      title: `Retraining of ${model} could not be asked for`,
      text: reason,
      facts: [
        { title: 'Model', value: `${model}, version ${version}` },
        { title: 'Environment', value: environment },
      ],
      tone: 'attention',
    },
    ['retrain', deliveryId],
    dashboard === undefined ? undefined : `${dashboard}/changes`,
  );

/** Once for each day that it reaches further ahead. */
const ofFuture = ({ model, version, environment, last }: FutureHours, dashboard: string | undefined): OutboxItem =>
  item(
    { model, version, environment },
    {
      event: 'check-failed',
      title: `${model} has predictions that are dated in the future`,
      text: `Up to the hour of ${last}. A clock runs ahead, or callers give times that have not come.\nThey are counted and nothing is lost, but their windows are judged when those have ended, and the ones they belong to lack them.`,
      facts: [
        { title: 'Model', value: `${model}, version ${version}` },
        { title: 'Environment', value: environment },
      ],
      tone: 'attention',
    },
    ['future', model, version, environment, last.slice(0, 10)],
    dashboard === undefined ? undefined : `${dashboard}/models/${encodeURIComponent(model)}`,
  );

/** At most one a day, also when the monitor is started again and again. */
const silentWriter = (problem: string, since: number, now: number, dashboard: string | undefined): OutboxItem =>
  item(
    { model: 'every model', version: '', environment: '' },
    {
      event: 'check-failed',
      title: 'Models cannot be checked: the writer does not answer',
      text: `${problem}\nPolicies and baselines come from the writer: windows wait until it answers, and nothing is lost.`,
      facts: [{ title: 'Silent since', value: iso(since) }],
      tone: 'attention',
    },
    ['writer', iso(now).slice(0, 10)],
    dashboard,
  );

function item(
  subject: Pick<OutboxItem, 'model' | 'version' | 'environment'>,
  said: Omit<CardContent, 'links' | 'deliveryId'>,
  key: readonly string[],
  link: string | undefined,
): OutboxItem {
  const deliveryId = `card-${hashFields([said.event, ...key]).slice(0, 20)}`;
  const links = link === undefined ? [] : [{ title: 'Open the dashboard', url: link }];
  const payload: CardPayload = { content: { ...said, links, deliveryId } };
  const { event, title } = said;
  return { ...subject, kind: 'card', deliveryId, event, title, payload, ...(link === undefined ? {} : { link }) };
}
