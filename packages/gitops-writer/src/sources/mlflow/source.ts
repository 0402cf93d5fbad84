import { FairwayError, GOLDEN_FILE, hashFields, iso, sha256 } from '@fairway/core';
import type { Champion, LoadedVersion, ModelReference, ModelSource, RegisteredVersion } from '../../ports.ts';
import { answerToOf } from './answer-to.ts';
import { ARTIFACT_LIMITS } from './artifacts/paths.ts';
import { championVersion } from './champion.ts';
import { fetchFiles } from './download.ts';
import { examineModel } from './examine.ts';
import { BESIDE, wantedFiles } from './layout.ts';
import { loadVersion } from './load.ts';
import type { MlflowVersion } from './shapes.ts';
import { tagsOf } from './registry.ts';
import { layoutOf, type OpenVersion, ready, readyVersion, type VersionContext, withVersion } from './version.ts';

/** Registered models of an MLflow tracking server, 2.x or 3.x. Private copies go below `scratch`. */
export function mlflowSource(context: VersionContext): ModelSource {
  const { registry } = context;
  return {
    load: async (of, version): Promise<LoadedVersion> => {
      const name = nameOf(of);
      const found = await readyVersion(context, name, version);
      const loaded = await withVersion(context, found, (opened) => loadVersion(context, of.model, opened));
      return { ...loaded, answerTo: answerToOf({ name, version }) };
    },
    files: async (of, version) => {
      const found = await readyVersion(context, nameOf(of), version);
      return withVersion(context, found, async (opened) => {
        const all = wantedFiles(opened.artifacts, layoutOf(opened).folder);
        // What is told about the model is read when it is loaded; only the cases it is asked with travel on.
        const wanted = all.filter(({ to }) => to === GOLDEN_FILE || !BESIDE.some((name) => name === to));
        return fetchFiles(opened.store, wanted, context.scratch, context.limits ?? ARTIFACT_LIMITS);
      });
    },
    versions: async (of) => {
      const all = await registry.versions(nameOf(of));
      const usable = all.filter(({ status, version }) => status === 'READY' && /^[1-9]\d{0,17}$/.test(version));
      return usable.sort((a, b) => Number(a.version) - Number(b.version)).map(registered);
    },
    champion: (of) => champion(context, nameOf(of), aliasOf(of)),
    examine: (of) => examineModel(context, of.model, nameOf(of), aliasOf(of)),
  };
}

function sourceOf({ model, source }: ModelReference) {
  if (source.registry === 'mlflow') return source;
  throw new FairwayError(
    'config.invalid',
    `Model ${model} comes from ${source.registry}, and MLflow was asked for it.`,
  );
}
const nameOf = (of: ModelReference): string => sourceOf(of).name;
const aliasOf = (of: ModelReference): string => sourceOf(of).alias;

const labelOf = ({ name, version }: MlflowVersion): string => `${name} v${version}`;

const registered = (version: MlflowVersion): RegisteredVersion => ({
  version: version.version,
  label: labelOf(version),
  ...(version.creation_timestamp === undefined ? {} : { at: iso(version.creation_timestamp) }),
});

async function champion(context: VersionContext, name: string, alias: string): Promise<Champion | undefined> {
  const found = await championVersion(context.registry, name, alias);
  if (found.by === 'nothing' || found.version === undefined) return undefined;
  const { version } = found.version;
  const fingerprint = await withVersion(context, ready(found.version), (opened) =>
    Promise.resolve(fingerprintOf(opened)),
  );
  const tags = tagsOf(found.version.tags);
  const by = tags['fairway.approved_by'];
  const at = decidedAt(
    tags['fairway.approved_at'],
    found.by === 'stage' ? found.version.last_updated_timestamp : undefined,
  );
  return {
    version,
    label: labelOf(found.version),
    fingerprint,
    // MLflow does not keep who gave an alias. Who made the version is somebody else, so nobody is better.
    ...(by === undefined || by === '' ? {} : { actor: by.slice(0, 200) }),
    ...(at === undefined ? {} : { at }),
    answerTo: answerToOf({ name, version }),
    names: { name, version, alias },
  };
}

function decidedAt(tag: string | undefined, moved: number | undefined): string | undefined {
  const told = tag === undefined ? Number.NaN : Date.parse(tag);
  if (!Number.isNaN(told)) return iso(told);
  return moved === undefined ? undefined : iso(moved);
}

/** Neither tags nor times are in it: our own answers are tags. Where a store tells no ETags, MLmodel has an id for each logging. */
function fingerprintOf({ version, artifacts, mlmodel }: OpenVersion): string {
  const { name, source = '', run_id: run = '', model_id: model = '' } = version;
  const files = artifacts
    .map(({ path, size, etag = '' }) => hashFields([path, String(size ?? ''), etag]))
    .sort()
    .join('');
  return `mlflow:${version.version}:${hashFields([name, version.version, source, run, model, sha256(files), sha256(mlmodel ?? '')])}`;
}
