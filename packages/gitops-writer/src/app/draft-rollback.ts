import { FairwayError } from '@fairway/core';
import type { StoredChange } from '../change.ts';
import type { RepositoryFile } from '../ports.ts';
import { readChain } from '../render/chain.ts';
import { readModelVersion } from '../render/model-version.ts';
import { environmentFolder, quarantinePath } from '../render/paths.ts';
import { renderRollback, rollbackPullRequest, type RollbackSource } from '../render/rollback.ts';
import { placeOf } from './catalogue.ts';
import type { Draft } from './draft.ts';
import type { StepContext } from './step.ts';
import { textSettings } from './text-settings.ts';

/** What a rollback wants on its branch: the folder as Git has it at the restored commit, and the bad digest in quarantine. */
export async function rollbackDraft(stored: StoredChange, context: StepContext, base: string): Promise<Draft> {
  const place = await placeOf(context.repository, base, stored.change);
  const source = await rollbackSource(stored, context, base);
  const rendered = renderRollback(source);
  const { model, environment } = stored.change;
  const folder = environmentFolder(model, environment);
  const text = async () => {
    const now = await context.repository.files(base, folder);
    const quarantine =
      source.quarantine === undefined ? [] : [{ path: quarantinePath(model), text: source.quarantine }];
    const next = versionIn(source.restored, folder);
    const current = versionIn(now, folder);
    return rollbackPullRequest({
      source,
      ...place,
      before: [...now, ...quarantine],
      after: [...quarantine, ...rendered.files].filter(lastOfPath),
      ...(next === undefined ? {} : { next }),
      ...(current === undefined ? {} : { current }),
      ...textSettings(context),
    });
  };
  return { rendered, text, reviewers: place.environment.reviewers ?? [] };
}

const lastOfPath = ({ path }: RepositoryFile, at: number, all: readonly RepositoryFile[]): boolean =>
  all.findLastIndex((other) => other.path === path) === at;

const versionIn = (files: readonly RepositoryFile[], folder: string) =>
  readModelVersion(files.find(({ path }) => path === `${folder}/modelversion.json`)?.text ?? '');

async function rollbackSource(
  { change, evidence }: StoredChange,
  { repository }: StepContext,
  base: string,
): Promise<RollbackSource> {
  if (evidence.kind !== 'rollback') throw new TypeError(`change ${change.id} is no rollback`);
  const { model, environment } = change;
  const { commit } = evidence.restores;
  const folder = environmentFolder(model, environment);
  const restored = await repository.files(commit, folder);
  const chain = readChain(restored.find(({ path }) => path === `${folder}/version.yaml`)?.text ?? '');
  if (chain?.digest !== evidence.restores.digest)
    throw new FairwayError(
      'git.refused',
      `Commit ${commit} does not hold version ${evidence.restores.version} of ${model} in ${folder} any more; was the history of the GitOps repository rewritten? Approve the version that shall serve.`,
    );
  const quarantine = (await repository.read(base, quarantinePath(model)))?.text;
  return { change: change.id, since: change.createdAt, evidence, restored, approval: chain.approval, quarantine };
}
