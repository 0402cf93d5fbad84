import { FairwayError } from '@fairway/core';
import type { ModelReference } from '../../ports.ts';
import type { SasServer } from './client.ts';
import { archiveOf, contentNamed, contentsOf } from './contents.ts';
import { championModel, projectOf, readModel } from './projects.ts';
import { type SasVersion, versionOf } from './versions.ts';
import type { SasContent, SasModel, SasProject } from './wire.ts';
import { runningProcesses } from './workflow.ts';

/**
 * What keeps the champion of a project from travelling, a sentence each. `load` has the last word: what the archive brings with
 * it need not be in SAS's fields, so those are looked at only when loading does not go through.
 */
export async function examineProject(
  server: SasServer,
  of: ModelReference,
  load: (version: string) => Promise<unknown>,
): Promise<string[]> {
  try {
    const project = await projectOf(server, of);
    const champion = await championModel(server, project);
    if (champion === undefined) return [...fieldProblems(project), noChampion(project)];
    return [
      ...(await championProblems(server, of, project, champion, load)),
      ...processProblems(project, await runningProcesses(server, project).catch(noneWithoutRight)),
    ];
  } catch (error) {
    return sentences(error);
  }
}

async function championProblems(
  server: SasServer,
  of: ModelReference,
  project: SasProject,
  champion: SasModel,
  load: (version: string) => Promise<unknown>,
): Promise<string[]> {
  const model = await readModel(server, champion.id);
  const version = versionOf(model.id, { ...model, modelVersionName: champion.modelVersionName });
  if (version === undefined) return [...fieldProblems(project, model), versionProblem(model, champion)];
  const contents = await contentsOf(server, version);
  const ambiguous = archiveProblems(of, version, contents);
  if (ambiguous.length > 0) return [...fieldProblems(project, model, contents), ...ambiguous];
  try {
    await load(version.number);
    return [];
  } catch (error) {
    return [...fieldProblems(project, model, contents), ...sentences(error)];
  }
}

/** What neither project, nor model, nor a content of its own tells. */
function fieldProblems(project: SasProject, model?: SasModel, contents: readonly SasContent[] = []): string[] {
  const has = (name: string): boolean => contents.some((content) => content.name === name);
  const { inputVariables = [], outputVariables = [] } = model ?? {};
  const roles = new Set(project.variables.map(({ role }) => role?.toLowerCase()));
  const lacks = (what: string, field: string): string =>
    `Project ${project.name} in SAS has no ${what} (${field}); set it in the properties of the project, or in ModelProperties.json of the model.`;
  const isOf = project.function ?? model?.function;
  const level = project.targetLevel || model?.targetLevel;
  const isNumber = level?.toLowerCase() === 'interval';
  const wanted = isNumber ? 'prediction' : 'classification';
  const fields: ReadonlyArray<readonly [unknown, string, string]> = [
    [isOf, 'function', `function: ${wanted}`],
    [project.targetVariable || model?.targetVariable, 'target variable', 'targetVariable'],
    [level, 'target level', 'targetLevel: binary, nominal, or interval for a number'],
    ...(isNumber
      ? [[project.predictionVariable, 'prediction variable', 'predictionVariable'] as const]
      : ([
          [project.targetEventValue ?? model?.targetEvent, 'target event value', 'targetEventValue'],
          [
            project.eventProbabilityVariable || model?.eventProbVar,
            'event probability variable',
            'eventProbabilityVariable',
          ],
        ] as const)),
  ];
  const missing = has('ModelProperties.json')
    ? []
    : fields.filter(([value]) => value === undefined || value === null || value === '');
  const noInputs = inputVariables.length === 0 && !roles.has('input') && !has('inputVar.json');
  const noOutputs = outputVariables.length === 0 && !roles.has('output') && !has('outputVar.json');
  return [
    ...missing.map(([, what, field]) => lacks(what, field)),
    ...(isOf && isOf.toLowerCase() !== wanted
      ? [
          `Project ${project.name} in SAS is one of ${isOf}, with target level ${level ?? 'unknown'}; Fairway carries models of function classification, and of function prediction with target level interval.`,
        ]
      : []),
    ...(noInputs ? [lacks('input variables', 'variables')] : []),
    ...(noOutputs ? [lacks('output variables', 'variables')] : []),
  ];
}

function archiveProblems(of: ModelReference, { label }: SasVersion, contents: readonly SasContent[]): string[] {
  try {
    archiveOf(contents, of.source.registry === 'sas' ? of.source.archive : '', label);
    contentNamed(contents, 'baseline.json', label);
    return [];
  } catch (error) {
    return sentences(error);
  }
}

const noChampion = ({ name }: SasProject): string =>
  `Project ${name} in SAS has no champion; set one, or approve a version by its number.`;

const versionProblem = ({ name }: SasModel, { modelVersionName }: SasModel): string =>
  `The champion ${name} has the version name ${JSON.stringify(modelVersionName ?? '')} in SAS, which is no number such as 2.1; make a new version of it.`;

function processProblems({ name }: SasProject, running: readonly string[]): string[] {
  if (running.length < 2) return [];
  return [
    `${running.length} workflow processes run for project ${name} in SAS (${running.join(', ')}), so none of them is told how a deployment ended; end all but one.`,
  ];
}

/** Workflows are not what a model needs to travel. */
function noneWithoutRight(error: unknown): string[] {
  if (error instanceof FairwayError && [400, 403, 404].includes(Number(error.detail['status']))) return [];
  throw error;
}

/** What a person did wrong, in sentences; everything else is not for them. */
function sentences(error: unknown): string[] {
  if (!(error instanceof FairwayError)) throw error;
  const { problems } = error.detail;
  return Array.isArray(problems) && problems.length > 1 ? problems.map((one) => `${String(one)}.`) : [error.message];
}
