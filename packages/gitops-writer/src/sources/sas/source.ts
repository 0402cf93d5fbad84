import { join } from 'node:path';
import { privateFolder, REGISTRATION_FILES, unpackModel } from '@fairway/archive';
import { type Clock, FairwayError, iso, pause, sha256 } from '@fairway/core';
import { loadModelVersion } from '@fairway/savedmodel';
import type { Champion, LoadedVersion, ModelFiles, ModelReference, ModelSource } from '../../ports.ts';
import type { SasServer } from './client.ts';
import { archiveOf, contentNamed, contentsOf, download, stateOfContent, stateOfContents } from './contents.ts';
import { examineProject } from './examine.ts';
import { addSideFile, completeRegistration, SIDE_FILE_LIMIT } from './files.ts';
import { addressText, fingerprintOf, originOf } from './identity.ts';
import { championModel, projectOf, readModel } from './projects.ts';
import { PUBLISH_WAIT, type PublishWait, settledPublishes } from './publish.ts';
import { resolveVersion, type SasVersion, versionOf, versionsOf } from './versions.ts';
import { instant, type SasContent, type SasModel, type SasProject } from './wire.ts';
import { runningProcess } from './workflow.ts';

export type SasSource = {
  readonly server: SasServer;
  /** Folder for downloads and private copies; it is made when it is not there. */
  readonly scratch: string;
  readonly clock: Clock;
  /** Most bytes of an archive. */
  readonly archiveBytes?: number;
  readonly publishWait?: PublishWait;
};

const ARCHIVE_BYTES = 32 * 2 ** 30;
const KNOWN_CONTENTS = 200;

/** The models of SAS Model Manager: a project is a model of Fairway, its models and their versions are the versions. */
export function sasSource(options: SasSource): ModelSource {
  const { server } = options;
  const known = new Map<string, string>();
  const loadVersion = async (of: ModelReference, version: string): Promise<LoadedVersion> => {
    const project = await projectOf(server, of);
    const resolved = await resolveVersion(server, project, version);
    return inScratch(options, (folder) => load(options, of, project, resolved, folder));
  };
  return {
    load: loadVersion,
    files: async (of, version) => {
      const resolved = await resolveVersion(server, await projectOf(server, of), version);
      return inScratch(options, (folder) => files(options, of, resolved, folder));
    },
    versions: async (of) => {
      const versions = await versionsOf(server, await projectOf(server, of));
      return versions.map(({ number, label, at }) => ({ version: number, label, ...(at ? { at: iso(at) } : {}) }));
    },
    champion: (of) => champion(options, of, known),
    examine: (of) => examineProject(server, of, (version) => loadVersion(of, version)),
  };
}

/** Runs `work` with a folder of its own, which is gone afterwards whatever happens. */
async function inScratch<T>({ scratch }: SasSource, work: (folder: string) => Promise<T>): Promise<T> {
  const { folder, remove } = await privateFolder(scratch);
  try {
    return await work(folder);
  } finally {
    await remove();
  }
}

async function load(
  options: SasSource,
  of: ModelReference,
  project: SasProject,
  version: SasVersion,
  folder: string,
): Promise<LoadedVersion> {
  const { server, scratch, clock, publishWait = PUBLISH_WAIT } = options;
  if (version.frozen === undefined) {
    await settledPublishes(server, version.modelId, publishWait, { ...clock, pause });
  }
  const full = version.frozen === undefined ? { ...version, model: await readModel(server, version.modelId) } : version;
  const before = await contentsOf(server, version);
  const archive = await fetchArchive(options, of, version, before, folder);
  const unpacked = await unpackModel(archive, scratch);
  try {
    await addSideFiles(options, version, before, folder, unpacked.folder);
    await completeRegistration(unpacked.folder, of.model, project, full);
    await checkUnchanged(server, version, before);
    const { number, label, modelId, name } = version;
    const origin = originOf(project.id, modelId, name);
    const loaded = await loadModelVersion(unpacked.folder, { model: of.model, version: number, origin, label });
    return { ...loaded, answerTo: await addressOfModel(server, project, modelId) };
  } finally {
    await unpacked.dispose();
  }
}

async function files(options: SasSource, of: ModelReference, version: SasVersion, folder: string): Promise<ModelFiles> {
  const contents = await contentsOf(options.server, version);
  return unpackModel(await fetchArchive(options, of, version, contents, folder), options.scratch);
}

async function fetchArchive(
  { server, archiveBytes = ARCHIVE_BYTES }: SasSource,
  of: ModelReference,
  { label }: SasVersion,
  contents: readonly SasContent[],
  folder: string,
): Promise<string> {
  const name = archiveName(of);
  // Named as in SAS, for the sentences about it.
  const file = join(folder, name.replaceAll(/[^\w.-]/g, '_').slice(-100));
  await download(server, archiveOf(contents, name, label), file, archiveBytes);
  return file;
}

const archiveName = ({ source }: ModelReference): string => (source.registry === 'sas' ? source.archive : '');

async function addSideFiles(
  { server }: SasSource,
  { label }: SasVersion,
  contents: readonly SasContent[],
  folder: string,
  into: string,
): Promise<void> {
  for (const name of REGISTRATION_FILES) {
    const content = contentNamed(contents, name, label);
    if (content === undefined) continue;
    const file = join(folder, name);
    await download(server, content, file, SIDE_FILE_LIMIT);
    await addSideFile(into, name, file, label);
  }
}

/** A version that is still worked on can change while it is read; half of two states is what nobody has approved. */
async function checkUnchanged(server: SasServer, version: SasVersion, before: readonly SasContent[]): Promise<void> {
  if (version.frozen !== undefined) return;
  const { modelVersionName } = await readModel(server, version.modelId);
  const after = await contentsOf(server, version);
  if (modelVersionName === version.name && stateOfContents(after) === stateOfContents(before)) return;
  throw new FairwayError(
    'model.changed',
    `${version.label} was changed in SAS while it was read; approve it again once nobody works on it.`,
  );
}

async function champion(
  options: SasSource,
  of: ModelReference,
  known: Map<string, string>,
): Promise<Champion | undefined> {
  const { server } = options;
  const project = await projectOf(server, of);
  const model = await championModel(server, project);
  if (model === undefined) return undefined;
  const version = versionOf(model.id, model);
  if (version === undefined) throw nameless(model, project);
  const content = await championSha256(options, of, version, known);
  const at = instant(model.championStartTime);
  return {
    version: version.number,
    label: version.label,
    fingerprint: fingerprintOf(model.id, version.name, content),
    ...(model.modifiedBy ? { actor: model.modifiedBy } : {}),
    ...(at === undefined ? {} : { at: iso(at) }),
    answerTo: await addressOfModel(server, project, model.id),
    names: { projectId: project.id, modelId: model.id, modelVersionName: version.name },
  };
}

/**
 * Where it is not one archive that counts, the list of contents stands for it: it is a champion all the same, and `load` refuses it in
 * words that its workflow is told.
 */
async function championSha256(
  options: SasSource,
  of: ModelReference,
  version: SasVersion,
  known: Map<string, string>,
): Promise<string> {
  const contents = await contentsOf(options.server, version);
  const named = contents.filter(({ name }) => name === archiveName(of));
  const [content] = named;
  if (content === undefined || named.length > 1) return sha256(stateOfContents(contents));
  return contentSha256(options, content, known);
}

/** Bytes are hashed once for each state of a content: a champion is asked for every minute, and may be a gigabyte. */
async function contentSha256(options: SasSource, content: SasContent, known: Map<string, string>): Promise<string> {
  const state = stateOfContent(content);
  const isDated = instant(content.modifiedTimeStamp) !== undefined;
  const before = isDated ? known.get(state) : undefined;
  if (before !== undefined) return before;
  const { server, archiveBytes = ARCHIVE_BYTES } = options;
  const { sha256: digest } = await inScratch(options, (folder) =>
    download(server, content, join(folder, 'archive'), archiveBytes),
  );
  for (const oldest of known.keys()) {
    if (known.size < KNOWN_CONTENTS) break;
    known.delete(oldest);
  }
  known.set(state, digest);
  return digest;
}

async function addressOfModel(server: SasServer, project: SasProject, modelId: string): Promise<string> {
  const processId = await runningProcess(server, project);
  return addressText({ projectId: project.id, modelId, ...(processId === undefined ? {} : { processId }) });
}

const nameless = ({ name, modelVersionName }: SasModel, project: SasProject): FairwayError =>
  new FairwayError(
    'model.invalid',
    `The champion of project ${project.name}, ${name}, has the version name ${JSON.stringify(modelVersionName ?? '')} in SAS, which is no number such as 2.1; make a new version of it.`,
  );
