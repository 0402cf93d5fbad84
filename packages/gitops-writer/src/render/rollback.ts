import type { Approval, Environment, ModelVersion } from '@fairway/core';
import type { ChangeEvidence } from '../change.ts';
import type { RepositoryFile } from '../ports.ts';
import { blastRadius } from './blast-radius.ts';
import { compose, type Section, whole } from './body.ts';
import type { Rendered } from './deploy.ts';
import { diffSection, fileChanges, filesSection } from './diff.ts';
import { sealedMessage } from './intent.ts';
import { code, moment, plain, quote, short, table } from './markdown.ts';
import { modelCard } from './model-card.ts';
import type { ModelFile } from './model-file.ts';
import { environmentFolder, modelFolder, quarantinePath } from './paths.ts';
import { links, type PullRequestText } from './pull-request.ts';
import { howToLift, withEntry } from './quarantine.ts';

export type RollbackSource = {
  readonly change: string;
  /** When the rollback was asked for, RFC 3339: from then on the bad digest is quarantined. */
  readonly since: string;
  readonly evidence: Extract<ChangeEvidence, { kind: 'rollback' }>;
  /** The environment's folder as it was when the restored state was merged. */
  readonly restored: readonly RepositoryFile[];
  /** The decision that the restored state rests on. */
  readonly approval: Approval;
  /** quarantine.yaml as it is now; undefined when there is none. */
  readonly quarantine: string | undefined;
};

/** The environment's folder byte for byte as it was, and the bad version in quarantine. */
export function renderRollback(source: RollbackSource): Rendered {
  const { change, evidence, restored, approval } = source;
  const { request, bad, restores } = evidence;
  const { model, environment } = request;
  const { intent, message } = sealedMessage(
    `Roll back ${model} in ${environment} to version ${restores.version}`,
    `Version ${bad.version} is quarantined: ${request.reason}`,
    {
      'Fairway-Change': change,
      'Fairway-Model': model,
      'Fairway-Version': restores.version,
      'Fairway-Digest': restores.digest,
      'Fairway-Environment': environment,
      'Fairway-Restores': restores.commit,
      'Fairway-Quarantines': `${bad.version} ${bad.digest}`,
      'Fairway-Approval': `${approval.eventId} by ${approval.actor} at ${approval.time}`,
      'Fairway-Requested-By': `${request.actor} as ${request.dedupeKey}`,
    },
    restored,
  );
  const entry = entryFile(source);
  const files = entry === undefined ? restored : [...restored, entry];
  return { folders: [environmentFolder(model, environment)], files, intent, message };
}

function entryFile({ evidence: { request, bad }, quarantine, since }: RollbackSource): RepositoryFile | undefined {
  const { version, digest, change } = bad;
  const reason = request.reason.replaceAll(/\s+/g, ' ').trim();
  return withEntry(request.model, quarantine, { version, digest, change, reason, since });
}

export type RollbackEvidence = {
  readonly source: RollbackSource;
  readonly environment: Environment;
  readonly file: ModelFile;
  /** Files of the model's folder that this change may touch, as they are now and as it wants them. */
  readonly before: readonly RepositoryFile[];
  readonly after: readonly RepositoryFile[];
  /** What is restored, and what is there now. */
  readonly next?: ModelVersion;
  readonly current?: ModelVersion;
  readonly dashboardUrl?: string;
  readonly bodyLimit: number;
};

const GIVING_WAY = ['diff', 'files', 'links', 'model', 'blast radius', 'reason'];

/** What a reviewer of the way back wants to read: why, to what, what else it does, and how to undo it. */
export function rollbackPullRequest(evidence: RollbackEvidence): PullRequestText {
  const { source, environment, file, before, after, next, current, bodyLimit } = evidence;
  const { request, restores } = source.evidence;
  const { model } = request;
  const changes = fileChanges(before, after);
  const sections: Section[] = [
    whole('headline', headline(source)),
    whole('reason', quote(request.reason)),
    whole('states', states(source)),
    ...(next === undefined ? [] : [modelCard(next, current)]),
    blastRadius({ environment, file, before, restored: source.restored }),
    filesSection(changes, modelFolder(model)),
    diffSection(changes, (path) => path.endsWith('.yaml') && !path.endsWith('/version.yaml')),
    whole('rules', rules(source, environment)),
    links(model, evidence),
  ];
  return {
    title: `Roll back ${model} in ${environment.name} to version ${restores.version}`,
    body: compose(sections, GIVING_WAY, source.change, bodyLimit),
    labels: ['fairway', 'fairway/rollback', environment.merge === 'auto' ? 'fairway/auto-merge' : 'fairway/review'],
  };
}

function headline({ evidence: { request, bad, restores } }: RollbackSource): string {
  return `**${request.model}** in **${request.environment}** goes back from version **${bad.version}** to version **${restores.version}**, the last one that was live there. Asked for by ${code(request.actor)}:`;
}

function states({ evidence: { bad, restores }, approval }: RollbackSource): string {
  return table(
    ['', 'version', 'digest', 'change', 'brought by'],
    [
      ['left', bad.version, `\`${short(bad.digest)}\``, `\`${bad.change}\``, 'quarantined with this merge'],
      [
        'restored',
        restores.version,
        `\`${short(restores.digest)}\``,
        `\`${restores.change}\``,
        `commit \`${restores.commit.slice(0, 12)}\`, approved by ${plain(approval.actor)} on ${moment(approval.time)}`,
      ],
    ],
  );
}

function rules({ evidence: { request, bad } }: RollbackSource, { merge, name }: Environment): string {
  const merging =
    merge === 'auto'
      ? `Environment ${name} merges by itself: Fairway merges this head and no other.`
      : 'Merging is the decision of whoever may merge here.';
  return [
    '## What a decision does',
    '',
    `- **Merging** restores the folder of ${name} byte for byte and adds an entry to \`${quarantinePath(request.model)}\`. ${merging}`,
    `- **From now on** version ${bad.version} is neither approved nor promoted in any environment of ${request.model}, and its open pull requests are closed; ${howToLift(request.model)}.`,
    '- **Closing** leaves everything as it is and lets the version go.',
    '- **A commit added to this branch** voids the request: these bytes were live before and no others.',
  ].join('\n');
}
