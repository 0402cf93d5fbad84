import { type Baseline, type Change, FairwayError, type Liveness, type Logger, type ModelVersion } from '@fairway/core';
import type { StoredChange } from '../change.ts';
import type {
  ChampionBook,
  ChangeReader,
  LoadedVersion,
  ModelSource,
  RegisteredVersion,
  Repository,
  SeenChampion,
  SourceReference,
} from '../ports.ts';
import type { ModelFile } from '../render/model-file.ts';
import { environmentFolder, policyPath } from '../render/paths.ts';
import { modelNames, readModelFile } from './catalogue.ts';
import type { LookContext } from './live/look.ts';
import { liveness } from './liveness.ts';

export type QueryContext = {
  readonly changes: ChangeReader;
  readonly repository: Repository;
  readonly source: ModelSource;
  readonly book: ChampionBook;
  readonly log: Logger;
};

const FRESH_MS = 1_000;

type LiveVersion = {
  readonly version: string;
  readonly digest: string;
  readonly changeId: string;
  readonly since: string;
};
type ModelSummary = {
  readonly model: string;
  readonly owner: string;
  readonly environments: ReadonlyArray<ModelFile['environments'][number] & { readonly live?: LiveVersion }>;
  readonly source: string;
  readonly approves?: string;
  readonly champion?: ShownChampion;
};
type ShownChampion = {
  readonly state: 'champion' | 'none' | 'unreadable';
  readonly version?: string;
  readonly label?: string;
  readonly actor?: string;
  readonly since: string;
  readonly outcome?: string;
  readonly change?: string;
  readonly problem?: string;
  readonly withdrawn?: { readonly version: string; readonly at: string };
  readonly lookedAt: string;
};

/** The models of the GitOps repository with what is live in each environment. A model.yaml that is not usable is left out and logged. */
export async function listModels({ changes, repository, book, log }: QueryContext): Promise<ModelSummary[]> {
  const head = await repository.head(FRESH_MS);
  const live = await changes.live();
  const seen = new Map((await book.list()).map((one) => [one.model, one]));
  const models: ModelSummary[] = [];
  for (const model of await modelNames(repository, head)) {
    try {
      models.push(summary(model, await readModelFile(repository, head, model), live, seen.get(model)));
    } catch (error) {
      log.warn({ model, reason: (error as Error).message }, 'a model is left out');
    }
  }
  return models;
}

function summary(
  model: string,
  file: ModelFile,
  live: readonly Change[],
  seen: SeenChampion | undefined,
): ModelSummary {
  const environments = file.environments.map((environment) => {
    const change = live.find((candidate) => candidate.model === model && candidate.environment === environment.name);
    return change === undefined ? environment : { ...environment, live: liveVersion(change) };
  });
  const { owner, source, approves } = file;
  const isOfIt = seen !== undefined && seen.registry === source.registry && seen.environment === approves;
  return {
    model,
    owner,
    environments,
    source: source.registry,
    ...(approves === undefined ? {} : { approves }),
    ...(isOfIt ? { champion: shownChampion(seen) } : {}),
  };
}

function shownChampion({ champion, since, settled, withdrawn, problem, lookedAt }: SeenChampion): ShownChampion {
  const { version, label, actor } = champion ?? {};
  return {
    state: problem !== undefined ? 'unreadable' : champion === undefined ? 'none' : 'champion',
    ...(version === undefined ? {} : { version }),
    ...(label === undefined ? {} : { label }),
    ...(actor === undefined ? {} : { actor }),
    since: problem?.since ?? since,
    ...settled,
    ...(problem === undefined ? {} : { problem: problem.reason }),
    ...(withdrawn === undefined ? {} : { withdrawn }),
    lookedAt,
  };
}

type SourceReport = {
  readonly model: string;
  readonly source: SourceReference;
  readonly approves?: string;
  /** What is missing before the model can travel, a sentence each. */
  readonly problems: readonly string[];
  readonly champion?: RegisteredVersion & { readonly actor?: string };
  readonly versions: readonly RegisteredVersion[];
};

/** What a model's registry says when it is asked now. Throws `registry.unavailable`, or `config.invalid` where it is not connected. */
export async function readSource(model: string, { repository, source }: QueryContext): Promise<SourceReport> {
  const file = await readModelFile(repository, await repository.head(FRESH_MS), model);
  const of = { model, source: file.source };
  const problems = await source.examine(of);
  const versions = await source.versions(of);
  const { version, label, at, actor } = (await source.champion(of)) ?? {};
  const said = { ...(label === undefined ? {} : { label }), ...(at === undefined ? {} : { at }) };
  return {
    ...of,
    ...(file.approves === undefined ? {} : { approves: file.approves }),
    problems,
    ...(version === undefined ? {} : { champion: { version, ...said, ...(actor === undefined ? {} : { actor }) } }),
    versions,
  };
}

function liveVersion({ id, version, digest, history, updatedAt }: Change): LiveVersion {
  const since = history.findLast(({ phase }) => phase === 'live')?.at ?? updatedAt;
  return { version, digest: digest ?? '', changeId: id, since };
}

/** `policy.yaml` on the default branch with its blob id. Throws `model.unknown`, or `policy.invalid` when there is none. */
export async function readPolicy(model: string, { repository }: QueryContext): Promise<{ blob: string; text: string }> {
  const head = await repository.head(FRESH_MS);
  await readModelFile(repository, head, model);
  const policy = await repository.read(head, policyPath(model));
  if (policy !== undefined) return { blob: policy.blob, text: policy.text };
  throw new FairwayError(
    'policy.invalid',
    `Model ${model} has no policy; add ${policyPath(model)} to the GitOps repository.`,
  );
}

/** Model version and baseline as the deploy change committed them. Throws `model.unknown` when it never was deployed. */
export async function readDeployedVersion(
  model: string,
  version: string,
  context: QueryContext,
): Promise<LoadedVersion> {
  const { changes, repository } = context;
  const change = await changes.merged(model, version);
  const commit = change?.pullRequest?.mergeCommit;
  if (change === undefined || commit === undefined) throw neverDeployed(model, version);
  const folder = environmentFolder(model, change.environment);
  await repository.head(FRESH_MS);
  const modelVersion = await repository.read(commit, `${folder}/modelversion.json`);
  const baseline = await repository.read(commit, `${folder}/baseline.json`);
  if (modelVersion === undefined || baseline === undefined) throw neverDeployed(model, version);
  return {
    modelVersion: JSON.parse(modelVersion.text) as ModelVersion,
    baseline: JSON.parse(baseline.text) as Baseline,
  };
}

const neverDeployed = (model: string, version: string): FairwayError =>
  new FairwayError(
    'model.unknown',
    `Version ${version} of model ${model} has never been deployed by Fairway; approve it and merge its pull request first.`,
  );

/** What is true of a change now. Another replica may have carried it: this one looks at the remote before it judges. */
export async function readLiveness(stored: StoredChange, context: LookContext): Promise<Liveness> {
  await context.repository.head(FRESH_MS);
  return liveness(stored, context);
}
