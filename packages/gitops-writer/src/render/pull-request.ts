import type { Approval, Environment, ModelVersion, PullRequest } from '@fairway/core';
import type { RepositoryFile } from '../ports.ts';
import { blastRadius } from './blast-radius.ts';
import { compose, either, most, type Section, whole } from './body.ts';
import { diffSection, fileChanges, filesSection } from './diff.ts';
import type { Canary } from './canary.ts';
import { code, count, head, link, moment, plain, quote } from './markdown.ts';
import { bytesSection, interfaceSection, modelCard } from './model-card.ts';
import type { ModelFile } from './model-file.ts';
import { environmentFolder } from './paths.ts';

export type PullRequestText = { readonly title: string; readonly body: string; readonly labels: readonly string[] };

export type DeployEvidence = {
  readonly change: string;
  readonly approval: Approval;
  /** The change of the environment before, when the approval was carried over from there. */
  readonly promotes?: string;
  readonly modelVersion: ModelVersion;
  /** golden.jsonl, where there is one. */
  readonly golden?: string;
  readonly environment: Environment;
  readonly file: ModelFile;
  readonly image: string;
  /** What goes on beside the new version. */
  readonly canary?: Canary;
  /** What the default branch says now; undefined when nothing is deployed yet. */
  readonly current?: ModelVersion;
  /** Files of the environment's folder on the default branch, and as this change wants them. */
  readonly before: readonly RepositoryFile[];
  readonly after: readonly RepositoryFile[];
  /** The pull request that brought what serves now. */
  readonly live?: PullRequest;
  readonly dashboardUrl?: string;
  /** Most characters that the forge takes. */
  readonly bodyLimit: number;
};

/** What gives way first when a forge takes less: what the forge or a file of the change shows as well. */
const GIVING_WAY = ['diff', 'files', 'interface', 'links', 'evidence', 'model', 'blast radius', 'rules', 'bytes'];

/** What an approver wants to read before the merge: who, what, where, the difference to what serves, and what merging does. */
export function deployPullRequest(evidence: DeployEvidence): PullRequestText {
  const { change, modelVersion, environment, current, image, before, after } = evidence;
  const { model, version } = modelVersion;
  const folder = environmentFolder(model, environment.name);
  const changes = fileChanges(before, after);
  const sections = [
    headline(evidence),
    evidenceSection(evidence.approval.evidence),
    modelCard(modelVersion, current),
    interfaceSection(modelVersion, current),
    bytesSection(modelVersion, image),
    blastRadius(evidence),
    filesSection(changes, folder),
    diffSection(changes, isManifest),
    rules(evidence),
    links(model, evidence),
  ];
  return {
    title: `Deploy ${model} ${version} to ${environment.name}`,
    body: compose(sections, GIVING_WAY, change, evidence.bodyLimit),
    labels: ['fairway', 'fairway/deploy', environment.merge === 'auto' ? 'fairway/auto-merge' : 'fairway/review'],
  };
}

/** The chain and the model's card are told in words above; what Argo CD applies is shown line by line. */
const isManifest = (path: string): boolean => path.endsWith('.yaml') && !path.endsWith('/version.yaml');

function headline({ approval, promotes, modelVersion, environment }: DeployEvidence): Section {
  const { model, version } = modelVersion;
  if (promotes !== undefined)
    return whole(
      'headline',
      `Version **${version}** of **${model}** is promoted to **${environment.name}** by Fairway, after change ${code(promotes)} has soaked. ${code(approval.actor)} approved it on ${moment(approval.time)} for the environment before; nobody has approved it for ${environment.name} yet.`,
    );
  return whole(
    'headline',
    `Version **${version}** of **${model}** was approved for **${environment.name}** by ${code(approval.actor)} on ${moment(approval.time)} (event ${code(approval.eventId)}).`,
  );
}

/** What people wrote, quoted; shortened at a whole character with a sentence. */
export function evidenceSection(evidence: string | undefined): Section {
  const text = (evidence ?? '').trim();
  const shown = (length: number): string => {
    if (length === text.length) return quote(text);
    if (length === 0) return '';
    return `${quote(head(text, length))}\n\nThe evidence is cut after ${count(length)} of ${count(text.length)} characters.`;
  };
  return { name: 'evidence', render: (room) => (text === '' ? '' : most(text.length, room, shown)) };
}

function rules({ modelVersion: { version }, environment, golden }: DeployEvidence): Section {
  const merging =
    environment.merge === 'auto'
      ? `**Merging** deploys. Environment ${environment.name} merges by itself: Fairway merges this head and no other.`
      : '**Merging** deploys. It is the decision of whoever may merge here.';
  const live = `The change is called live when every ready pod's TensorFlow Serving says that version ${version} is AVAILABLE.`;
  return either(
    'rules',
    () => ['## What a decision does', '', `- ${merging} ${live}${asked(golden)}`, ...CLOSE_AND_EDIT].join('\n'),
    () => 'Merging deploys. Closing rejects the version. A commit added to this branch voids the approval.',
  );
}

function asked(golden: string | undefined): string {
  if (golden === undefined) return '';
  const cases = golden.split('\n').filter((line) => line.trim() !== '').length;
  return ` After the rollout ${count(cases)} golden ${cases === 1 ? 'case is' : 'cases are'} asked; one that is not answered as wanted fails the change.`;
}

const CLOSE_AND_EDIT = [
  '- **Closing** rejects the version for this environment; the workflow is told so.',
  '- **A commit added to this branch** voids the approval: these bytes were approved and no others.',
];

/** Where to read on. */
export function links(model: string, { live, dashboardUrl }: Pick<DeployEvidence, 'live' | 'dashboardUrl'>): Section {
  const shown = [
    ...(dashboardUrl === undefined
      ? []
      : [link(`${plain(model)} on the dashboard`, `${dashboardUrl}/models/${model}`)]),
    ...(live === undefined ? [] : [link(`Pull request ${live.number}, which brought what serves now`, live.url)]),
  ];
  return whole('links', shown.join(' · '));
}
