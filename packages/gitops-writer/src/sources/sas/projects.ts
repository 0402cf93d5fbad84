import { FairwayError } from '@fairway/core';
import type { ModelReference } from '../../ports.ts';
import type { SasServer } from './client.ts';
import { checkId } from './identity.ts';
import { collect, quoted } from './paging.ts';
import { modelSchema, projectSchema, type SasModel, type SasProject } from './wire.ts';

const PROJECTS = '/modelRepository/projects';
const MODELS = '/modelRepository/models';

/** The project that model.yaml names, by its id, or by an exact name that only one project has. */
export async function projectOf(server: SasServer, { model, source }: ModelReference): Promise<SasProject> {
  if (source.registry !== 'sas') throw misnamed(model);
  const { projectId, project: name } = source;
  if (projectId !== undefined) {
    const what = `to read project ${projectId}`;
    const found = await server.find(`${PROJECTS}/${encodeURIComponent(projectId)}`, projectSchema, what);
    if (found === undefined)
      throw unknown(`SAS has no project with the id ${projectId} (source.projectId of ${model})`);
    return found.value;
  }
  if (name === undefined) throw misnamed(model);
  const filter = quoted(name);
  if (filter === undefined) {
    throw unknown(`Project names with quotes cannot be asked for (source.project of ${model}); give source.projectId`);
  }
  const what = `to look for project ${name}`;
  const listed = await collect(server, { path: PROJECTS, filter: `eq(name,${filter})`, item: projectSchema, what });
  // A filter is not always honoured.
  const [found, ...others] = listed.filter((project) => project.name === name);
  if (found === undefined) throw unknown(`SAS has no project named ${name} (source.project of ${model})`);
  if (others.length > 0) {
    const ids = [found, ...others].map(({ id }) => id).join(', ');
    throw unknown(`SAS has ${others.length + 1} projects named ${name} (${ids}): give source.projectId of ${model}`);
  }
  // A list shows less of a project than the project itself.
  return (await server.read(`${PROJECTS}/${checkId(`Project ${name}`, found.id)}`, projectSchema, what)).value;
}

/** Undefined: SAS has none for this project, a normal state. */
export async function championModel(server: SasServer, { id, name }: SasProject): Promise<SasModel | undefined> {
  const path = `${PROJECTS}/${checkId(`Project ${name}`, id)}/champion`;
  const answer = await server.find(path, modelSchema, `to tell the champion of project ${name}`);
  return answer?.value;
}

/** Every model of the project, as lists show it. */
export async function modelsOf(server: SasServer, { id, name }: SasProject): Promise<SasModel[]> {
  const filter = `eq(projectId,"${checkId(`Project ${name}`, id)}")`;
  const what = `to list the models of project ${name}`;
  const models = await collect(server, { path: MODELS, filter, item: modelSchema, what });
  return models.filter(({ projectId }) => projectId === id);
}

export const readModel = async (server: SasServer, id: string): Promise<SasModel> =>
  (await server.read(`${MODELS}/${checkId('A model', id)}`, modelSchema, `to read model ${id}`)).value;

/** The versions of a model that are frozen; the one that is worked on is not among them. */
export const frozenVersions = (server: SasServer, { id, name }: SasModel): Promise<SasModel[]> =>
  collect(server, {
    path: `${MODELS}/${checkId(`Model ${name}`, id)}/modelVersions`,
    item: modelSchema,
    what: `to list the versions of model ${name}`,
  });

const unknown = (why: string): FairwayError =>
  new FairwayError('model.unknown', `${why}; correct source in model.yaml, or give the writer the right to read it.`);

const misnamed = (model: string): FairwayError =>
  new FairwayError(
    'config.invalid',
    `source in model.yaml of ${model} names neither a project nor a projectId of SAS.`,
  );
