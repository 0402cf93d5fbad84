import { FairwayError, type ModelVersion } from '@fairway/core';
import type { StoredChange } from '../change.ts';
import type { RepositoryFile } from '../ports.ts';
import { type DeploySource, readChain, renderDeploy, type Rendered } from '../render/deploy.ts';
import { retrainOf } from '../render/model-file.ts';
import { environmentFolder } from '../render/paths.ts';
import { deployPullRequest, type PullRequestText } from '../render/pull-request.ts';
import { retrainPullRequest } from '../render/report.ts';
import { renderRetrain } from '../render/retrain.ts';
import { placeOf } from './catalogue.ts';
import type { StepContext } from './step.ts';

/** What a change wants to be on its branch, were that based on a given commit. */
export type Draft = { readonly rendered: Rendered; readonly text: PullRequestText };

export async function draftAt(stored: StoredChange, context: StepContext, base: string): Promise<Draft> {
  return stored.evidence.kind === 'deploy' ? deployDraft(stored, context, base) : retrainDraft(stored, context, base);
}

async function deployDraft(stored: StoredChange, context: StepContext, base: string): Promise<Draft> {
  const source = await deploySource(stored, context, base);
  const current = await currentVersion(source, context, base);
  const rendered = renderDeploy(source);
  const text = deployPullRequest({
    ...source,
    ...(current === undefined ? {} : { current }),
    ...(context.dashboardUrl === undefined ? {} : { dashboardUrl: context.dashboardUrl }),
  });
  return { rendered, text };
}

async function deploySource(
  { change, evidence }: StoredChange,
  context: StepContext,
  base: string,
): Promise<DeploySource> {
  if (evidence.kind !== 'deploy' || change.image === undefined) throw unready(change.id);
  const { model, version } = change;
  const place = await placeOf(context.repository, base, change);
  const loaded = await context.changes.loaded(model, version, evidence.digest);
  if (loaded === undefined) throw unready(change.id);
  const { image } = change;
  return { change: change.id, approval: evidence.approval, ...loaded, ...place, image, agentImage: context.agentImage };
}

async function currentVersion(
  source: DeploySource,
  context: StepContext,
  base: string,
): Promise<ModelVersion | undefined> {
  const { model } = source.modelVersion;
  const file = await context.repository.read(
    base,
    `${environmentFolder(model, source.environment.name)}/modelversion.json`,
  );
  return file === undefined ? undefined : (JSON.parse(file.text) as ModelVersion);
}

async function retrainDraft({ change, evidence }: StoredChange, context: StepContext, base: string): Promise<Draft> {
  if (evidence.kind !== 'retrain') throw unready(change.id);
  const { file } = await placeOf(context.repository, base, change);
  const retrain = retrainOf(file);
  const source = { change: change.id, request: evidence.request, file: { ...file, retrain } };
  return { rendered: renderRetrain(source), text: retrainPullRequest(source, context.dashboardUrl) };
}

/**
 * The change whose approval had put the very same model and manifests on the default branch, if there is one: then
 * there is nothing to propose.
 */
export async function alreadyThere(
  stored: StoredChange,
  context: StepContext,
  base: string,
): Promise<string | undefined> {
  const source = await deploySource(stored, context, base);
  const folder = environmentFolder(source.modelVersion.model, source.environment.name);
  const chain = readChain((await context.repository.read(base, `${folder}/version.yaml`))?.text ?? '');
  if (chain === undefined) return undefined;
  const { files } = renderDeploy({ ...source, change: chain.change, approval: chain.approval });
  return (await allEqual(files, context, base)) ? chain.change : undefined;
}

async function allEqual(files: readonly RepositoryFile[], { repository }: StepContext, base: string): Promise<boolean> {
  for (const { path, text } of files) if ((await repository.read(base, path))?.text !== text) return false;
  return true;
}

const unready = (change: string): FairwayError =>
  new FairwayError('unknown', `Change ${change} was to be rendered before it was built; please report this.`);
