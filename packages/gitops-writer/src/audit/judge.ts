import { parse } from 'yaml';
import { modelPath, quarantinePath } from '../render/paths.ts';
import {
  type FolderFile,
  hashed,
  type Proof,
  proveEnvironment,
  proveRetrain,
  trailerProblems,
} from '../render/proof.ts';
import { parseQuarantine, type QuarantineEntry } from '../render/quarantine.ts';
import { proveSealed, type Sealed } from '../render/sealed.ts';
import type { Claim } from './claims.ts';
import { type Governed, type Snapshot, sameFiles } from './folders.ts';

/** A governed folder after a commit, with its files read. */
export type Look = {
  readonly folder: Governed;
  readonly files: readonly FolderFile[];
  /** What the folder proves by itself; undefined when it is empty. */
  readonly proof: Proof | undefined;
};

/** A file beside the folders, before and after the commit; undefined where there is none. */
export type Beside = { readonly before: string | undefined; readonly after: string | undefined };

export function look(folder: Governed, files: readonly FolderFile[]): Look {
  if (files.length === 0) return { folder, files, proof: undefined };
  const { model, name } = folder;
  const proof = folder.kind === 'retrain' ? proveRetrain(model, name, files) : proveEnvironment(model, name, files);
  return { folder, files, proof };
}

/** Why a claim does not hold for the folder that it is about, in sentences; none when it does. */
export function claimProblems(claim: Claim, at: Look, past: PastStates, beside: Beside): string[] {
  switch (claim.kind) {
    case 'deploy':
    case 'retrain':
      return carriedProblems(claim, at);
    case 'rollback':
      return rollbackProblems(claim, at, past, beside);
    case 'retire':
      return retireProblems(claim, at, beside);
    default:
      return unreachable(claim.kind);
  }
}

/** The folder after the commit, and as it was at an earlier commit of the branch (undefined: no such commit). */
export type PastStates = { readonly now: Snapshot; readonly at: (commit: string) => Snapshot | undefined };

function carriedProblems({ kind, trailers }: Claim, { proof }: Look): string[] {
  if (proof === undefined) return ['The folder is empty.'];
  const { proven, problems } = proof;
  if (proven === undefined) return [...problems];
  if (proven.kind !== kind) return [...problems, `The trailers tell of a ${kind}, the folder of a ${proven.kind}.`];
  return [...problems, ...trailerProblems(proven, trailers)];
}

function rollbackProblems(
  { trailers }: Claim,
  { files, proof, folder }: Look,
  past: PastStates,
  beside: Beside,
): string[] {
  const { sealed, problems } = proveSealed(trailers, hashed(files));
  const all = [...problems, ...(proof?.problems ?? ['The folder is empty.'])];
  if (sealed?.kind !== 'rollback') return all;
  const restored = past.at(sealed.restores);
  if (restored === undefined) all.push(`It restores commit ${sealed.restores}, which is not on the branch.`);
  else if (!sameFiles(restored, past.now)) all.push(`The folder is not as it was at commit ${sealed.restores}.`);
  if (proof?.proven?.kind === 'deploy' && proof.proven.digest !== sealed.digest)
    all.push('The restored folder is of another digest than the trailers say.');
  return [...all, ...quarantineProblems(folder.model, sealed, beside)];
}

/** quarantine.yaml gains the entry of what was left, and loses nothing. */
function quarantineProblems(
  model: string,
  { bad }: Extract<Sealed, { kind: 'rollback' }>,
  { before, after }: Beside,
): string[] {
  const [old, now] = [entriesOf(model, before), entriesOf(model, after)];
  if (now === undefined) return [`${quarantinePath(model)} cannot be read.`];
  const lost = (old ?? []).filter(({ digest }) => !now.some((entry) => entry.digest === digest));
  const added = now.filter(({ digest }) => !(old ?? []).some((entry) => entry.digest === digest));
  const foreign = added.filter(({ digest }) => digest !== bad.digest);
  return [
    ...lost.map(({ version }) => `It takes version ${version} out of quarantine.`),
    ...foreign.map(({ version }) => `It quarantines version ${version} as well.`),
    ...(now.some(({ digest }) => digest === bad.digest) ? [] : [`It does not quarantine version ${bad.version}.`]),
  ];
}

/** undefined: the file is not one. */
export function entriesOf(model: string, text: string | undefined): QuarantineEntry[] | undefined {
  try {
    return parseQuarantine(model, text);
  } catch {
    return undefined;
  }
}

function retireProblems({ trailers }: Claim, { files, folder }: Look, { before, after }: Beside): string[] {
  const { problems } = proveSealed(trailers, []);
  const left = files.length === 0 ? [] : ['The folder is still there.'];
  const wanted = withoutEnvironment(before, folder.name);
  const edited = wanted !== undefined && wanted !== JSON.stringify(readable(after));
  return [
    ...problems,
    ...left,
    ...(edited ? [`${modelPath(folder.model)} says more than that the environment is gone.`] : []),
  ];
}

function withoutEnvironment(text: string | undefined, name: string): string | undefined {
  const file = readable(text) as { environments?: ReadonlyArray<{ name?: unknown }> } | undefined;
  if (!Array.isArray(file?.environments)) return undefined;
  return JSON.stringify({
    ...file,
    environments: file.environments.filter((environment) => environment?.name !== name),
  });
}

function readable(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : parse(text);
  } catch {
    return undefined;
  }
}

function unreachable(kind: never): never {
  throw new TypeError(`there is no change of kind ${JSON.stringify(kind)}`);
}
