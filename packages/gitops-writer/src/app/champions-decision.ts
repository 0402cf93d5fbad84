import { type Approval, iso } from '@fairway/core';
import type { Champion, HookClaim, RegistryKind } from '../ports.ts';

const NAMES: Readonly<Record<RegistryKind, string>> = {
  directory: 'the registry folder',
  sas: 'SAS Model Manager',
  mlflow: 'MLflow',
};

/** A registry as sentences call it. */
export const registryName = (registry: string): string => NAMES[registry as RegistryKind] ?? registry;

export type Decision = {
  readonly event: string;
  readonly model: string;
  readonly environment: string;
  readonly registry: RegistryKind;
  readonly champion: Champion;
  /** Of the hook that has brought the look about, when it fits. */
  readonly claim?: HookClaim | undefined;
  /** When we looked, RFC 3339. */
  readonly at: string;
};

const MOST_ACTOR = 200;
const MOST_EVIDENCE = 4_000;

/** The champion of a registry as an approval. What the registry says and what a hook claims are told apart. */
export function approvalOf(decision: Decision): Omit<Approval, 'answerTo'> {
  const { event, model, environment, registry, champion } = decision;
  const { version, actor } = champion;
  return {
    eventId: event,
    model,
    version,
    environment,
    actor: oneLine(actor ?? '').slice(0, MOST_ACTOR) || `${registry} champion`,
    time: timeOf(champion.at) ?? decision.at,
    evidence: evidenceOf(decision).slice(0, MOST_EVIDENCE),
  };
}

function evidenceOf({ model, registry, champion, claim, at }: Decision): string {
  const { version, label, actor, at: since } = champion;
  const called = label === undefined ? '' : ` (${oneLine(label)})`;
  const who = actor === undefined ? ' It does not say who decided.' : ` It names ${oneLine(actor)}.`;
  const when = since === undefined ? '' : `, since ${oneLine(since)}`;
  const said = `In ${registryName(registry)}, version ${version}${called} is the champion of ${model}${when}.${who} Fairway read it there by itself at ${at}.`;
  return claim === undefined ? said : `${said}\n\n${claimed(claim)}`;
}

/** Nobody has vouched for these words. */
function claimed({ decidedBy, taskName, processId, via }: HookClaim): string {
  const by = decidedBy === undefined ? 'somebody' : oneLine(decidedBy);
  const where = [
    ...(taskName === undefined ? [] : [`task ${oneLine(taskName)}`]),
    ...(processId === undefined ? [] : [`process ${oneLine(processId)}`]),
  ];
  const shown = where.length === 0 ? '' : ` (${where.join(', ')})`;
  return `Claimed by the hook that credential ${via} has sent, and confirmed by nobody: ${by} decided it${shown}.`;
}

/** A line of a commit, whatever a registry holds. */
// oxlint-disable-next-line no-control-regex
const oneLine = (text: string): string => text.replaceAll(/[\u0000-\u001f\u007f\u2028\u2029]+/g, ' ').trim();

function timeOf(text: string | undefined): string | undefined {
  const ms = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(ms) ? undefined : iso(ms);
}

/** What a hook claims of a champion that the registry does not say of it, in words; empty when it agrees. */
export function contradictions(claim: HookClaim, { names = {} }: Champion): string[] {
  return Object.entries(claim.names).flatMap(([name, said]) => {
    const is = names[name];
    return is?.toLowerCase() === said.toLowerCase() ? [] : [`${name} is ${is ?? 'not told'}, not ${said}`];
  });
}
