import type { Environment, RetireRequest } from '@fairway/core';
import { removeEntry } from '../edit/remove.ts';
import type { RepositoryFile } from '../ports.ts';
import { compose, whole } from './body.ts';
import type { Chain } from './chain.ts';
import type { Rendered } from './deploy.ts';
import { fileChanges, filesSection } from './diff.ts';
import { sealedMessage } from './intent.ts';
import { code, plain, quote, table } from './markdown.ts';
import type { ModelFile } from './model-file.ts';
import { environmentFolder, modelFolder, modelPath } from './paths.ts';
import { links, type PullRequestText } from './pull-request.ts';

export type RetireSource = {
  readonly change: string;
  readonly request: RetireRequest;
  readonly file: ModelFile;
  readonly environment: Environment;
  /** model.yaml as it is now. */
  readonly modelYaml: string;
  /** What is deployed there; undefined when nothing is. */
  readonly chain: Chain | undefined;
};

/** Without the environment's folder, and without its entry in model.yaml; every other byte of that file stays. */
export function renderRetire(source: RetireSource): Rendered {
  const { change, request, file, environment, modelYaml, chain } = source;
  const model = file.name;
  const at = file.environments.findIndex(({ name }) => name === environment.name);
  const path = modelPath(model);
  const text = removeEntry({ path, text: modelYaml }, { path: ['environments', at] });
  const { intent, message } = sealedMessage(
    `Retire ${model} from ${environment.name}`,
    `Asked for by ${request.actor}: ${request.reason}`,
    {
      'Fairway-Change': change,
      'Fairway-Model': model,
      ...(chain === undefined ? {} : { 'Fairway-Version': chain.version, 'Fairway-Digest': chain.digest }),
      'Fairway-Environment': environment.name,
      'Fairway-Retires': `${model}/${environment.name}`,
      'Fairway-Requested-By': `${request.actor} as ${request.dedupeKey}`,
    },
    [],
  );
  return { folders: [environmentFolder(model, environment.name)], files: [{ path, text }], intent, message };
}

export type RetireEvidence = {
  readonly source: RetireSource;
  /** The environment's folder and model.yaml as they are now; model.yaml as this change wants it. */
  readonly before: readonly RepositoryFile[];
  readonly after: readonly RepositoryFile[];
  readonly dashboardUrl?: string;
  readonly bodyLimit: number;
};

/** What a reviewer must know before something that serves is deleted. */
export function retirePullRequest(evidence: RetireEvidence): PullRequestText {
  const { source, before, after, bodyLimit } = evidence;
  const { file, environment, request } = source;
  const model = file.name;
  const sections = [
    whole('headline', headline(source)),
    whole('reason', quote(request.reason)),
    whole('deleted', deleted(source)),
    filesSection(fileChanges(before, after), modelFolder(model)),
    whole('rules', RULES),
    links(model, evidence),
  ];
  return {
    title: `Retire ${model} from ${environment.name}`,
    body: compose(sections, ['files', 'links', 'reason'], source.change, bodyLimit),
    labels: ['fairway', 'fairway/retire', 'fairway/review'],
  };
}

function headline({ file, environment, request, chain }: RetireSource): string {
  const last = file.environments.length === 1 ? ` **It is the last environment of ${file.name}.**` : '';
  const serving =
    chain === undefined ? 'Nothing is deployed there.' : `Version **${chain.version}** is deployed there.`;
  return `> **This deletes what serves.** Merging takes **${file.name}** out of **${environment.name}**, and callers get no more answers there.${last}\n\n${serving} Asked for by ${code(request.actor)}:`;
}

function deleted({ file: { name: model }, environment }: RetireSource): string {
  const { namespace, application } = environment;
  return [
    '## What merging deletes',
    '',
    table(
      ['what', 'which', ''],
      [
        ['Argo CD Application', `\`${application}\``, 'deleted by its ApplicationSet, because the folder is gone'],
        [
          'Deployment',
          `\`${model}\` in \`${namespace}\``,
          'deleted with all its pods; what their agents have not sent yet is lost',
        ],
        [
          'Service',
          `\`${model}\` in \`${namespace}\``,
          `deleted; \`http://${model}.${namespace}.svc:8501\` stops answering`,
        ],
        ['Namespace', `\`${namespace}\``, 'stays, with its Secrets and quotas; an administrator deletes it'],
        [
          'Volume claims',
          `in \`${namespace}\``,
          'stay where they carry `Prune=confirm`, `Prune=false` or `Delete=confirm`',
        ],
        ['History', plain('Git, predictions, labels and verdicts'), 'stay'],
      ],
    ),
  ].join('\n');
}

const RULES = [
  '## What a decision does',
  '',
  '- **Merging** deletes. It is always the decision of a person, also where the environment merges by itself.',
  '- **Closing** leaves everything as it is.',
  '- **A commit added to this branch** voids the request.',
  '- **To undo it** after the merge: revert this pull request, and approve the version again.',
].join('\n');
