import { canonicalJson, type CardContent, type CardTone, hashFields, sha256, type Verdict } from '@fairway/core';
import type { Policy } from '../policy/schema.ts';
import type { Judgement, OutboxItem } from '../ports.ts';

/** Where cards can go and what they link to. */
export type Announcer = {
  /** Names of the channels. Without one no cards are kept: switching it on later must not flood it. */
  readonly channels: readonly string[];
  readonly dashboardUrl: string | undefined;
};

/** What an outbox item of kind `card` holds. `to`: names of channels; all when absent. */
export type CardPayload = { readonly content: CardContent; readonly to?: readonly string[] };

/** A retrain item before it is decided: the window that asks for it. */
export type RetrainIntent = { readonly start: string };

type CardEvent = Policy['notify']['on'][number];

/**
 * What has to leave the house because of a verdict. Keys follow from model, version, environment, the policy's alert rules
 * and the period alone, so that a window judged ten times speaks once.
 */
export function announcements(
  judgement: Judgement,
  policy: Policy,
  before: Verdict | undefined,
  announcer: Announcer,
): OutboxItem[] {
  const event = eventOf(judgement, before);
  const items: OutboxItem[] = [];
  if (event !== undefined && announcer.channels.length > 0 && policy.notify.on.includes(event)) {
    items.push(cardItem(event, judgement, policy, announcer));
  }
  if (judgement.state === 'alert' && policy.retrain !== undefined) {
    items.push({
      ...subject(judgement),
      kind: 'retrain',
      deliveryId: dedupeKey(judgement, policy),
      event: 'retrain',
      title: `Retrain ${judgement.window.model} version ${judgement.window.version} after ${judgement.window.period}`,
      payload: { start: judgement.window.start } satisfies RetrainIntent,
    });
  }
  return items;
}

function eventOf({ state }: Judgement, before: Verdict | undefined): CardEvent | undefined {
  if (state === 'alert' || state === 'warning') return state;
  if (state !== 'healthy') return undefined;
  return before?.state === 'alert' ? 'recovered' : 'healthy';
}

/** One problem, one key: model, version, environment, period and the rules that can raise an alert. */
function dedupeKey({ window }: Judgement, { rules, segments = [] }: Policy): string {
  const alerting = sha256(canonicalJson([...rules, ...segments].filter(isAlert))).slice(0, 12);
  return [window.model, window.version, window.environment, window.period, alerting].join(':');
}

const isAlert = ({ severity }: Pick<Policy['rules'][number], 'severity'>): boolean => severity === 'alert';

const subject = ({ window: { model, version, environment } }: Judgement) => ({ model, version, environment });

const TITLES: Readonly<Record<CardEvent, string>> = {
  warning: 'starts to drift',
  alert: 'no longer performs as approved',
  recovered: 'performs well again',
  healthy: 'performs as approved',
};
const TONES: Readonly<Record<CardEvent, CardTone>> = {
  warning: 'warning',
  alert: 'attention',
  recovered: 'good',
  healthy: 'good',
};

function cardItem(event: CardEvent, judgement: Judgement, policy: Policy, { dashboardUrl }: Announcer): OutboxItem {
  const { window, findings } = judgement;
  const deliveryId = `card-${hashFields([event, dedupeKey(judgement, policy)]).slice(0, 20)}`;
  const title = `${window.model} ${TITLES[event]} (${window.period}, ${window.environment})`;
  const link =
    dashboardUrl === undefined
      ? undefined
      : `${dashboardUrl.replace(/\/$/, '')}/models/${encodeURIComponent(window.model)}?environment=${encodeURIComponent(window.environment)}`;
  const to = policy.notify.to?.[event];
  const content: CardContent = {
    event,
    title,
    text: findings.length === 0 ? 'All rules of the policy hold.' : findings.map(({ message }) => message).join('\n'),
    facts: cardFacts(judgement),
    links: link === undefined ? [] : [{ title: 'Open the dashboard', url: link }],
    deliveryId,
    tone: TONES[event],
  };
  return {
    ...subject(judgement),
    kind: 'card',
    deliveryId,
    event,
    title,
    payload: { content, ...(to === undefined ? {} : { to }) } satisfies CardPayload,
    ...(link === undefined ? {} : { link }),
  };
}

function cardFacts({ window, metrics, policy }: Judgement): Array<{ title: string; value: string }> {
  const share = metrics.predictions === 0 ? 0 : metrics.labelled / metrics.predictions;
  const interval = metrics.aucInterval;
  const facts = [
    { title: 'Model', value: `${window.model}, version ${window.version}` },
    { title: 'Window', value: `${moment(window.start)} to ${moment(window.end)} UTC` },
    {
      title: 'Predictions',
      value: `${metrics.predictions.toLocaleString('en-US')}, ${(share * 100).toFixed(0)} % labelled`,
    },
  ];
  if (metrics.auc !== null) {
    const range = interval === null ? '' : ` (95 % interval ${interval[0].toFixed(3)} to ${interval[1].toFixed(3)})`;
    facts.push({ title: 'AUC', value: `${metrics.auc.toFixed(3)}${range}` });
  }
  const others: Array<readonly [title: string, value: number | null | undefined]> = [
    ['KS', metrics.ks],
    ['Mean absolute error', metrics.regression?.mae],
    ['Accuracy', metrics.classification?.accuracy],
  ];
  for (const [title, value] of others) if (typeof value === 'number') facts.push({ title, value: value.toFixed(3) });
  const worst = worstPsi(metrics.psi);
  if (worst !== undefined) facts.push({ title: 'Largest PSI', value: `${worst[1].toFixed(3)} (${worst[0]})` });
  facts.push({ title: 'Policy', value: policy.slice(0, 12) });
  return facts;
}

/** `2026-01-01`, with hours and minutes where there are any. */
const moment = (time: string): string => time.slice(0, 16).replace('T', ' ').replace(' 00:00', '');

/** The input whose PSI is largest, with the figure; undefined when none is known. */
export function worstPsi(psi: Readonly<Record<string, number | null>>): readonly [string, number] | undefined {
  let worst: readonly [string, number] | undefined;
  for (const [variable, value] of Object.entries(psi)) {
    if (value !== null && (worst === undefined || value > worst[1])) worst = [variable, value];
  }
  return worst;
}
