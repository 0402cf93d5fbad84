import { type ChangeKind, FairwayError, type PullRequest } from '@fairway/core';
import type { StoredChange } from '../change.ts';
import type { RepositoryFile } from '../ports.ts';
import { canaryOf } from '../render/canary.ts';
import { readChain } from '../render/chain.ts';
import { type DeploySource, renderDeploy, type Rendered } from '../render/deploy.ts';
import { retrainOf } from '../render/model-file.ts';
import { readModelVersion } from '../render/model-version.ts';
import { environmentFolder, retrainFolder } from '../render/paths.ts';
import { deployPullRequest, type PullRequestText } from '../render/pull-request.ts';
import { retrainPullRequest } from '../render/report.ts';
import { renderRetrain } from '../render/retrain.ts';
import { placeOf } from './catalogue.ts';
import { retireDraft } from './draft-retire.ts';
import { rollbackDraft } from './draft-rollback.ts';
import type { StepContext } from './step.ts';
import { textSettings } from './text-settings.ts';

/**
 * What a change wants to be on its branch, were that based on a given commit. The text of the pull request costs further
 * reads, and a branch does not need it.
 */
export type Draft = {
  readonly rendered: Rendered;
  readonly text: () => Promise<PullRequestText>;
  /** Who is asked to review it, from model.yaml. */
  readonly reviewers: readonly string[];
};

export async function draftAt(stored: StoredChange, context: StepContext, base: string): Promise<Draft> {
  return DRAFTS[stored.evidence.kind](stored, context, base);
}

const DRAFTS: Record<ChangeKind, typeof draftAt> = {
  deploy: deployDraft,
  retrain: retrainDraft,
  rollback: rollbackDraft,
  retire: retireDraft,
};

async function deployDraft(stored: StoredChange, context: StepContext, base: string): Promise<Draft> {
  const source = await deploySource(stored, context, base);
  const rendered = renderDeploy(source);
  const promotes = stored.evidence.kind === 'deploy' ? stored.evidence.promotes : undefined;
  const text = () => deployText(source, rendered, promotes, context, base);
  return { rendered, text, reviewers: source.environment.reviewers ?? [] };
}

async function deployText(
  source: DeploySource,
  { files }: Rendered,
  promotes: string | undefined,
  context: StepContext,
  base: string,
): Promise<PullRequestText> {
  const { modelVersion, environment } = source;
  const folder = environmentFolder(modelVersion.model, environment.name);
  const before = await context.repository.files(base, folder);
  const current = readModelVersion(before.find(({ path }) => path === `${folder}/modelversion.json`)?.text ?? '');
  const live = await pullRequestOf(before, folder, context);
  return deployPullRequest({
    ...source,
    before,
    after: files,
    ...(promotes === undefined ? {} : { promotes }),
    ...(current === undefined ? {} : { current }),
    ...(live === undefined ? {} : { live }),
    ...textSettings(context),
  });
}

/** The pull request of the change whose version is on the default branch, if we know of it. */
async function pullRequestOf(
  before: readonly RepositoryFile[],
  folder: string,
  { changes }: StepContext,
): Promise<PullRequest | undefined> {
  const chain = readChain(before.find(({ path }) => path === `${folder}/version.yaml`)?.text ?? '');
  return chain === undefined ? undefined : (await changes.find(chain.change))?.change.pullRequest;
}

async function deploySource(
  { change, evidence }: StoredChange,
  context: StepContext,
  base: string,
): Promise<DeploySource> {
  if (evidence.kind !== 'deploy' || change.image === undefined) throw unready(change.id);
  const { model, version } = change;
  const place = await placeOf(context.repository, base, change);
  const loaded = await context.changes.loaded(model, version, evidence.digest, evidence.golden);
  if (loaded === undefined) throw unready(change.id);
  const { image } = change;
  const { agentImage, repository } = context;
  const source = { change: change.id, approval: evidence.approval, ...loaded, ...place, image, agentImage };
  const canary = await canaryOf(source, async (path) => (await repository.read(base, path))?.text);
  return canary === undefined ? source : { ...source, canary };
}

async function retrainDraft({ change, evidence }: StoredChange, context: StepContext, base: string): Promise<Draft> {
  if (evidence.kind !== 'retrain') throw unready(change.id);
  const { file, environment } = await placeOf(context.repository, base, change);
  const retrain = retrainOf(file);
  const { request, opened } = evidence;
  const source = {
    change: change.id,
    request,
    file: { ...file, retrain },
    ...(opened === undefined ? {} : { opened }),
  };
  const rendered = renderRetrain(source);
  const text = async () => {
    const before = await context.repository.files(base, retrainFolder(change.model, change.id));
    return retrainPullRequest({ source, before, after: rendered.files, ...textSettings(context) });
  };
  return { rendered, text, reviewers: environment.reviewers ?? [] };
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
