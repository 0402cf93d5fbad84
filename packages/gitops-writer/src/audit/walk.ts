import type { FolderFile } from '../render/proof.ts';
import { modelPath, quarantinePath } from '../render/paths.ts';
import { type Claim, claimsOf } from './claims.ts';
import { type Folders, folders, type Governed, governedBy } from './folders.ts';
import type { Objects } from './git.ts';
import type { Commit, Landing } from './history.ts';
import { type Beside, claimProblems, entriesOf, type Look, look } from './judge.ts';
import type { Finding, Served } from './report.ts';

/** What a walk over the history has found. */
export type Walk = {
  readonly findings: Finding[];
  readonly served: Served[];
  /** Changes that hold, with the commits that carried them. */
  readonly changes: Map<string, Commit>;
};

/** What is known while the history is walked, commit by commit. */
type Trail = Walk & {
  readonly folders: Folders;
  readonly order: Map<string, number>;
  readonly objects: Objects;
};

/** Walks the landings, oldest first: what governs serving must come from a change, and from nothing else. */
export async function walk(all: readonly Landing[], objects: Objects): Promise<Walk> {
  const trail: Trail = {
    findings: [],
    served: [],
    changes: new Map(),
    folders: folders(),
    order: new Map(),
    objects,
  };
  for (const [index, landing] of all.entries()) {
    trail.order.set(landing.commit.id, index);
    await step(trail, landing, index);
  }
  return trail;
}

type Step = { readonly trail: Trail; readonly landing: Landing; readonly report: Report };
type Report = (kind: Finding['kind'], paths: readonly string[], message: string, change?: string) => void;

async function step(trail: Trail, landing: Landing, index: number): Promise<void> {
  const { claims, conflicts } = claimsOf(landing);
  const touched = touchedFolders(landing, claims);
  const before = besideOf(claims, trail);
  trail.folders.apply(landing.changes, index);
  if (touched.length === 0 && claims.length === 0 && conflicts.length === 0) return;
  const report = reporter(trail, landing.commit);
  const here: Step = { trail, landing, report };
  for (const { id } of conflicts) report('trailers', [], `The Fairway trailers of commit ${id} contradict each other.`);
  for (const folder of touched) await judgeFolder(here, folder, claims, before);
  reportForeign(here, claims);
  for (const claim of claims) if (!touched.some(({ path }) => path === claim.folder)) reportAbsent(here, claim);
}

/** Folders in which something changed, or beside which a change of theirs did: what is retired may never have been there. */
function touchedFolders({ changes }: Landing, claims: readonly Claim[]): Governed[] {
  const found = new Map<string, Governed>();
  for (const { path } of changes) {
    const about = claims.filter(({ beside }) => beside === path).map(({ folder }) => folder);
    for (const folder of [path, ...about].map(governedBy)) if (folder !== undefined) found.set(folder.path, folder);
  }
  return [...found.values()];
}

/** Blobs of the files beside the folders, before the commit. */
const besideOf = (claims: readonly Claim[], { folders: known }: Trail): ReadonlyMap<string, string | undefined> => {
  const models = new Set(claims.map(({ trailers }) => trailers.get('Model') ?? ''));
  const paths = [...models].flatMap((model) => [quarantinePath(model), modelPath(model)]);
  return new Map(paths.map((path) => [path, known.file(path)]));
};

const reporter =
  (trail: Trail, { id, author, date }: Commit): Report =>
  (kind, paths, message, change) => {
    const of = change === undefined ? {} : { change };
    trail.findings.push({ kind, commit: id, author, date, paths: paths.slice(0, 100), message, ...of });
  };

async function judgeFolder(
  here: Step,
  folder: Governed,
  claims: readonly Claim[],
  before: ReadonlyMap<string, string | undefined>,
): Promise<void> {
  const { trail, landing, report } = here;
  const at = look(folder, await readFolder(folder, trail));
  const paths = landing.changes.map(({ path }) => path).filter((path) => governedBy(path)?.path === folder.path);
  const about = claims.filter((claim) => claim.folder === folder.path);
  const claim = about.find(({ change }) => change === at.proof?.proven?.change) ?? about[0];
  if (claim === undefined) report('outside', paths, outside(at, paths.length));
  else {
    const problems = await problemsOf(claim, at, here, before);
    if (problems.length > 0) report('broken', paths, `${folder.path}: ${problems.join(' ')}`, claim.change);
    else await accept(here, claim, at, before);
  }
  if (folder.kind === 'environments') serve(trail, at, landing.commit, claim);
}

const outside = ({ folder, files }: Look, count: number): string =>
  files.length === 0
    ? `${folder.path} was removed outside of any change.`
    : `${count === 1 ? '1 file' : `${count} files`} of ${folder.path} changed outside of any change.`;

async function readFolder({ path }: Governed, { folders: known, objects }: Trail): Promise<FolderFile[]> {
  const files = [...known.files(path)].map(async ([name, { mode, blob }]) => {
    // A submodule's commit is no object of this repository.
    const bytes = mode === '160000' ? Buffer.alloc(0) : await objects.read(blob);
    return { path: name, mode, bytes };
  });
  return Promise.all(files);
}

async function problemsOf(
  claim: Claim,
  at: Look,
  { trail }: Step,
  before: ReadonlyMap<string, string | undefined>,
): Promise<string[]> {
  const { folders: known, order } = trail;
  const past = {
    now: known.files(claim.folder),
    at: (commit: string) => {
      const index = order.get(commit);
      return index === undefined ? undefined : known.files(claim.folder, index);
    },
  };
  const beside = claim.beside === undefined ? NOTHING : await readBeside(claim.beside, trail, before);
  return claimProblems(claim, at, past, beside);
}

const NOTHING: Beside = { before: undefined, after: undefined };

async function readBeside(
  path: string,
  { folders: known, objects }: Trail,
  before: ReadonlyMap<string, string | undefined>,
): Promise<Beside> {
  const read = async (blob: string | undefined) =>
    blob === undefined ? undefined : (await objects.read(blob)).toString('utf8');
  return { before: await read(before.get(path)), after: await read(known.file(path)) };
}

/** The claim holds; what remains is whether it was allowed now. */
async function accept(
  { trail, report }: Step,
  claim: Claim,
  { folder, proof }: Look,
  before: ReadonlyMap<string, string | undefined>,
): Promise<void> {
  const earlier = trail.changes.get(claim.change);
  if (earlier !== undefined) {
    report('twice', [folder.path], `Change ${claim.change} was merged before, by commit ${earlier.id}.`, claim.change);
    return;
  }
  trail.changes.set(claim.change, claim.commit);
  if (claim.kind !== 'deploy' || proof?.proven?.kind !== 'deploy') return;
  const { digest, version } = proof.proven;
  const { before: text } = await readBeside(quarantinePath(folder.model), trail, before);
  const entry = entriesOf(folder.model, text)?.find((candidate) => candidate.digest === digest);
  if (entry !== undefined) {
    const why = `Version ${version} was deployed while it was in quarantine since ${entry.since}: ${entry.reason}`;
    report('quarantined', [folder.path], why, claim.change);
  }
}

/** What a commit that carries changes edits besides them: a merge by hand, or a squash of more than was approved. */
function reportForeign({ landing, report }: Step, claims: readonly Claim[]): void {
  if (claims.length === 0) return;
  const own = new Set(claims.flatMap(({ beside }) => (beside === undefined ? [] : [beside])));
  const foreign = landing.changes
    .map(({ path }) => path)
    .filter((path) => !own.has(path) && governedBy(path) === undefined);
  if (foreign.length === 0) return;
  const which = claims.map(({ change }) => change).join(', ');
  report('foreign', foreign, `It brings change ${which} and edits other files with it.`, claims[0]?.change);
}

function reportAbsent({ trail, report }: Step, claim: Claim): void {
  const earlier = trail.changes.get(claim.change);
  // A merge of the branch's own past brings nothing new.
  if (earlier !== undefined && earlier.id === claim.commit.id) return;
  const message =
    earlier === undefined
      ? `It says that it carries change ${claim.change}, but nothing of ${claim.folder} is in it.`
      : `Change ${claim.change} was merged before, by commit ${earlier.id}.`;
  report(earlier === undefined ? 'absent' : 'twice', [claim.folder], message, claim.change);
}

function serve(trail: Trail, { folder, proof }: Look, commit: Commit, claim: Claim | undefined): void {
  const { model, name: environment } = folder;
  const open = trail.served.findLastIndex((entry) => entry.model === model && entry.environment === environment);
  const last = trail.served[open];
  if (last !== undefined && last.until === undefined) trail.served[open] = { ...last, until: commit.date };
  if (proof === undefined) return;
  const proven = proof.proven?.kind === 'deploy' ? proof.proven : undefined;
  const told = proven && {
    version: proven.version,
    digest: proven.digest,
    change: proven.change,
    approvedBy: proven.approval.actor,
    event: proven.approval.eventId,
  };
  const broughtBy = claim === undefined || claim.change === proven?.change ? {} : { broughtBy: claim.change };
  trail.served.push({
    model,
    environment,
    ...told,
    ...broughtBy,
    commit: commit.id,
    from: commit.date,
    proven: proof.problems.length === 0,
  });
}
