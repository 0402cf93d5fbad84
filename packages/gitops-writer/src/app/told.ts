import { type Baseline, type Change, type ChangeKind, GOLDEN_FILE } from '@fairway/core';
import type { ChangeEvidence, ChangeFacts } from '../change.ts';
import type { ForgePullRequest, History, LoadedVersion, PastCommits, Repository, RepositoryFile } from '../ports.ts';
import { marker } from '../render/body.ts';
import { readModelVersion } from '../render/model-version.ts';
import { environmentFolder, modelPath, quarantinePath, retrainFolder } from '../render/paths.ts';
import {
  type FolderFile,
  hashed,
  type Proof,
  proveEnvironment,
  proveRetrain,
  trailerProblems,
} from '../render/proof.ts';
import { parseQuarantine } from '../render/quarantine.ts';
import { proveSealed, type Sealed } from '../render/sealed.ts';
import { readTrailers, type Trailers } from '../render/trailers.ts';
import { goldenEvidence } from './golden.ts';

export type GitAndForge = { readonly repository: Repository; readonly history: History; readonly past: PastCommits };

/** A change as its pull request and commits tell it, before its phase is known. */
export type Told = {
  readonly pull: ForgePullRequest;
  readonly key: BranchKey;
  readonly event: string;
  readonly evidence: ChangeEvidence;
  readonly facts: ChangeFacts;
  readonly loaded?: LoadedVersion;
  readonly about: Pick<Change, 'version' | 'actor' | 'createdAt' | 'digest' | 'image'>;
};

/** In a sentence why a pull request proves no change. */
export type Untold = { readonly reason: string };

type BranchKey = {
  readonly kind: ChangeKind;
  readonly model: string;
  readonly environment: string;
  readonly id: string;
};

const BRANCH = /^fairway\/(deploy|retrain|rollback|retire)\/([^/]+)\/([^/]+)\/([0-9a-f]{20})$/;

/** What a pull request proves: everything is recomputed from the bytes, and nothing is taken from its text. */
export async function tell(pull: ForgePullRequest, world: GitAndForge, head: string): Promise<Told | Untold> {
  const [, kind, model = '', environment = '', id = ''] = BRANCH.exec(pull.branch) ?? [];
  if (kind === undefined) return { reason: 'Its name is not that of a change.' };
  const key: BranchKey = { kind: kind as ChangeKind, model, environment, id };
  if (/<!-- fairway:change=/.test(pull.body) && !pull.body.includes(marker(id)))
    return { reason: `Pull request #${pull.number} carries the marker of another change.` };
  const commit = pull.state === 'merged' ? pull.mergeCommit : pull.headSha;
  if (commit === undefined) return { reason: 'The forge does not name its merge commit.' };
  const own = (await world.past.find(pull.headSha)) ?? (await world.past.find(commit));
  if (own === undefined || (await world.past.find(commit)) === undefined)
    return { reason: `Commit ${commit.slice(0, 12)} is not to be had any more, so that nothing proves the approval.` };
  const trailers = readTrailers(own.message);
  if (trailers === 'conflict' || trailers.get('Change') !== id)
    return { reason: 'Its commit does not carry the trailers of the change.' };
  const foreign = pull.state === 'open' ? await foreignEdits(key, pull.headSha, own.parent, world, head) : undefined;
  if (foreign !== undefined) return { reason: foreign };
  const sources = { pull, key, trailers, commit, message: own.message, createdAt: own.date };
  return TELLERS[key.kind](sources, world);
}

type Sources = {
  readonly pull: ForgePullRequest;
  readonly key: BranchKey;
  readonly trailers: Trailers;
  /** Where the files are read: the head of the branch, or the merge commit. */
  readonly commit: string;
  readonly message: string;
  readonly createdAt: string;
};
type Teller = (sources: Sources, world: GitAndForge) => Promise<Told | Untold>;

const TELLERS: Record<ChangeKind, Teller> = {
  deploy: tellDeploy,
  retrain: tellRetrain,
  rollback: tellRollback,
  retire: tellRetire,
};

const folderOf = ({ kind, model, environment, id }: BranchKey): string =>
  kind === 'retrain' ? retrainFolder(model, id) : environmentFolder(model, environment);

/** An open branch must be one commit of ours on the default branch, and touch nothing but what is ours. */
async function foreignEdits(
  key: BranchKey,
  headSha: string,
  parent: string | undefined,
  { history }: GitAndForge,
  head: string,
): Promise<string | undefined> {
  const based = parent !== undefined && (await history.relation(parent, head, folderOf(key))).kind;
  if (parent === undefined || (based !== 'contains' && based !== 'superseded'))
    return 'The branch holds more commits than that of the change.';
  const { paths } = await history.edits(parent, headSha);
  const beside = { deploy: '', retrain: '', rollback: quarantinePath(key.model), retire: modelPath(key.model) }[
    key.kind
  ];
  const foreign = paths.find((path) => path !== beside && !path.startsWith(`${folderOf(key)}/`));
  return foreign === undefined ? undefined : `The branch edits ${foreign}, which does not belong to the change.`;
}

async function folderAt({ key, commit }: Sources, { repository }: GitAndForge): Promise<RepositoryFile[]> {
  return repository.files(commit, folderOf(key));
}

const asBytes = (files: readonly RepositoryFile[]): FolderFile[] =>
  files.map(({ path, text }) => ({ path, mode: '100644', bytes: Buffer.from(text) }));

async function tellDeploy(sources: Sources, world: GitAndForge): Promise<Told | Untold> {
  const { key, trailers, pull } = sources;
  const files = await folderAt(sources, world);
  const proof = proveEnvironment(key.model, key.environment, asBytes(files));
  const { proven } = proof;
  const problem = problemOf(proof, trailers);
  if (problem !== undefined || proven?.kind !== 'deploy') return { reason: problem ?? 'It is no deployment.' };
  if (proven.change !== key.id) return { reason: `Its files are those of change ${proven.change}.` };
  const { approval, digest, image, intent, version } = proven;
  const loaded = loadedFrom(files, folderOf(key));
  return {
    ...toldOf(sources, intent, proven.change),
    pull,
    event: approval.eventId,
    evidence: { kind: 'deploy', approval, digest, ...goldenEvidence(loaded?.golden) },
    ...(loaded === undefined ? {} : { loaded }),
    about: { version, actor: approval.actor, createdAt: sources.createdAt, digest, image },
  };
}

async function tellRetrain(sources: Sources, world: GitAndForge): Promise<Told | Untold> {
  const { key, trailers } = sources;
  const proof = proveRetrain(key.model, key.id, asBytes(await folderAt(sources, world)));
  const { proven } = proof;
  const problem = problemOf(proof, trailers);
  if (problem !== undefined || proven?.kind !== 'retrain') return { reason: problem ?? 'It is no retraining.' };
  const { request, opened, intent } = proven;
  const told = toldOf(sources, intent, key.id);
  return {
    ...told,
    event: (opened ?? request).dedupeKey,
    evidence: { kind: 'retrain', request, revision: 1, ...(opened === undefined ? {} : { opened }) },
    facts: { ...told.facts, published: 1 },
    about: { version: (opened ?? request).version, actor: request.actor, createdAt: sources.createdAt },
  };
}

function problemOf({ proven, problems }: Proof, trailers: Trailers): string | undefined {
  return [...problems, ...(proven === undefined ? [] : trailerProblems(proven, trailers))][0];
}

async function tellRollback(sources: Sources, world: GitAndForge): Promise<Told | Untold> {
  const { key, trailers, commit, message } = sources;
  const files = asBytes(await folderAt(sources, world));
  const { sealed, problems } = proveSealed(trailers, hashed(files));
  const folder = proveEnvironment(key.model, key.environment, files);
  const problem = [...problems, ...folder.problems, ...placeProblems(key, sealed)][0];
  if (problem !== undefined || sealed?.kind !== 'rollback' || folder.proven?.kind !== 'deploy')
    return { reason: problem ?? 'It is no rollback.' };
  const quarantine = await world.repository.read(commit, quarantinePath(key.model));
  const entry = parseQuarantine(key.model, quarantine?.text).find(({ digest }) => digest === sealed.bad.digest);
  const { version, digest, actor, dedupeKey, restores, bad } = sealed;
  const { change: restored } = folder.proven;
  const reason = saidAfter(message, `Version ${bad.version} is quarantined: `);
  const { model, environment } = key;
  return {
    ...toldOf(sources, sealed.intent, restored),
    event: dedupeKey,
    evidence: {
      kind: 'rollback',
      request: { kind: 'rollback', model, environment, dedupeKey, actor, reason },
      bad: { ...bad, change: entry?.change ?? 'unknown' },
      restores: { change: restored, version, digest, commit: restores },
    },
    about: { version, actor, createdAt: sources.createdAt, digest },
  };
}

async function tellRetire(sources: Sources, world: GitAndForge): Promise<Told | Untold> {
  const { key, trailers, message } = sources;
  const { sealed, problems } = proveSealed(trailers, []);
  const left = (await folderAt(sources, world)).length === 0 ? [] : ['The folder that it removes is there.'];
  const problem = [...problems, ...left, ...placeProblems(key, sealed)][0];
  if (problem !== undefined || sealed?.kind !== 'retire') return { reason: problem ?? 'It is no retirement.' };
  const { version, digest, actor, dedupeKey } = sealed;
  const { model, environment } = key;
  const reason = saidAfter(message, `Asked for by ${actor}: `);
  const confirm = `${model}/${environment}`;
  return {
    ...toldOf(sources, sealed.intent, key.id),
    event: dedupeKey,
    evidence: { kind: 'retire', request: { kind: 'retire', model, environment, dedupeKey, actor, reason, confirm } },
    about: { version, actor, createdAt: sources.createdAt, ...(digest === '' ? {} : { digest }) },
  };
}

const placeProblems = ({ model, environment }: BranchKey, sealed: Sealed | undefined): string[] =>
  sealed === undefined || (sealed.model === model && sealed.environment === environment)
    ? []
    : [`Its commit is about ${sealed.model} in ${sealed.environment}.`];

const saidAfter = (message: string, start: string): string =>
  message
    .split('\n')
    .find((line) => line.startsWith(start))
    ?.slice(start.length) ?? 'not known any more';

function toldOf({ pull, key }: Sources, intent: string, stamp: string): Pick<Told, 'pull' | 'key' | 'facts'> {
  const { headSha, mergeCommit, mergedAt } = pull;
  const merged = pull.state === 'merged' && mergeCommit !== undefined;
  const facts = {
    intent,
    headSha,
    ...(merged ? { mergeCommit, stamp } : {}),
    ...(merged && mergedAt !== undefined ? { mergedAt } : {}),
  };
  return { pull, key, facts };
}

function loadedFrom(files: readonly RepositoryFile[], folder: string): LoadedVersion | undefined {
  const text = (name: string) => files.find(({ path }) => path === `${folder}/${name}`)?.text;
  const modelVersion = readModelVersion(text('modelversion.json') ?? '');
  if (modelVersion === undefined) return undefined;
  // The bytes are covered by the intent hash, so these are the baseline and the golden cases that were approved.
  const baseline = JSON.parse(text('baseline.json') ?? '') as Baseline;
  const golden = text(GOLDEN_FILE);
  return { modelVersion, baseline, ...(golden === undefined ? {} : { golden }) };
}
