import type { Approval, Environment, ModelVersion } from '@fairway/core';
import { figure, moment, plain, quote, short, table } from './markdown.ts';
import { environmentFolder } from './paths.ts';

export type PullRequestText = { readonly title: string; readonly body: string; readonly labels: readonly string[] };

/** Hidden marker by which a pull request is known as ours. */
export const marker = (change: string): string => `<!-- fairway:change=${change} -->`;

export type DeployEvidence = {
  readonly change: string;
  readonly approval: Approval;
  readonly modelVersion: ModelVersion;
  readonly environment: Environment;
  readonly image: string;
  /** What the default branch says now; undefined when nothing is deployed yet. */
  readonly current?: ModelVersion;
  readonly dashboardUrl?: string;
};

/** What an approver wants to read before the merge: who, what, where, the difference to what serves, and what merging does. */
export function deployPullRequest(evidence: DeployEvidence): PullRequestText {
  const { change, approval, modelVersion, environment, current } = evidence;
  const { model, version } = modelVersion;
  const parts = [
    `**${plain(approval.actor)}** approved version **${version}** of **${model}** for **${environment.name}** on ${moment(approval.time)} (event ${plain(approval.eventId)}).`,
    approval.evidence === undefined ? '' : quote(approval.evidence),
    comparison(modelVersion, current),
    ...consequences(evidence),
    evidence.dashboardUrl === undefined ? '' : `[${model} on the dashboard](${evidence.dashboardUrl}/models/${model})`,
    marker(change),
  ];
  return {
    title: `Deploy ${model} ${version} to ${environment.name}`,
    body: `${parts.filter((part) => part !== '').join('\n\n')}\n`,
    labels: ['fairway', 'fairway/deploy', environment.merge === 'auto' ? 'fairway/auto-merge' : 'fairway/review'],
  };
}

/** Old against new; without an old one only what is proposed. Rows in which nothing is known are left out. */
function comparison(next: ModelVersion, current: ModelVersion | undefined): string {
  const rows = [
    ['Digest', current && `\`${short(current.digest)}\``, `\`${short(next.digest)}\``],
    ...metricNames(next, current).map((name) => metricRow(name, next, current)),
    ['Inputs', current && String(inputs(current).length), String(inputs(next).length)],
    ['Trained', current?.trainedAt && moment(current.trainedAt), next.trainedAt && moment(next.trainedAt)],
    ['Origin', current && plain(current.origin), plain(next.origin)],
  ];
  const shown = rows
    .filter(([, before, after]) => before !== undefined || after !== undefined)
    .map(([name = '', before = '–', after = '–']) => (current === undefined ? [name, after] : [name, before, after]));
  const head = [
    '',
    ...(current === undefined ? [] : [`now: version ${current.version}`]),
    `proposed: version ${next.version}`,
  ];
  const first = 'Nothing is deployed in this environment yet.';
  return [table(head, shown), current === undefined ? first : variableDelta(next, current)].join('\n\n');
}

function metricNames(next: ModelVersion, current: ModelVersion | undefined): string[] {
  return [...new Set([...Object.keys(next.metrics), ...Object.keys(current?.metrics ?? {})])].sort();
}

function metricRow(name: string, next: ModelVersion, current: ModelVersion | undefined): Array<string | undefined> {
  const before = current?.metrics[name];
  const after = next.metrics[name];
  const change =
    before === undefined || after === undefined
      ? ''
      : ` (${after >= before ? '+' : '−'}${figure(Math.abs(after - before))})`;
  return [plain(name.toUpperCase()), current && figure(before), `${figure(after)}${change}`];
}

const inputs = (modelVersion: ModelVersion): string[] =>
  modelVersion.variables.filter(({ role }) => role === 'input').map(({ name, type }) => `${name} (${type})`);

function variableDelta(next: ModelVersion, current: ModelVersion): string {
  const before = inputs(current);
  const after = inputs(next);
  const list = (names: string[]) => names.map(plain).join(', ');
  const added = after.filter((name) => !before.includes(name));
  const removed = before.filter((name) => !after.includes(name));
  if (added.length === 0 && removed.length === 0) return 'The input variables are the same.';
  return [
    added.length === 0 ? '' : `Input variables added: ${list(added)}.`,
    removed.length === 0 ? '' : `Input variables removed: ${list(removed)}.`,
  ]
    .filter((part) => part !== '')
    .join(' ');
}

function consequences({ modelVersion, environment, image }: DeployEvidence): string[] {
  const { model, version } = modelVersion;
  const merge =
    environment.merge === 'auto'
      ? `Environment ${environment.name} merges by itself: Fairway merges this head and no other.`
      : 'Merging deploys. Closing rejects the version. A commit added to this branch voids the approval.';
  return [
    `**What merging does.** Argo CD Application \`${environment.application}\` rolls Deployment \`${model}\` in namespace \`${environment.namespace}\` to`,
    `\`\`\`\n${image}\n\`\`\``,
    `Only \`${environmentFolder(model, environment.name)}/\` changes. The change is called live when every ready pod's TensorFlow Serving says that version ${version} is AVAILABLE.`,
    merge,
  ];
}
