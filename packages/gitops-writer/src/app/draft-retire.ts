import type { StoredChange } from '../change.ts';
import { environmentFolder, modelPath } from '../render/paths.ts';
import { renderRetire, retirePullRequest } from '../render/retire.ts';
import { chainAt, placeOf } from './catalogue.ts';
import type { Draft } from './draft.ts';
import type { StepContext } from './step.ts';
import { textSettings } from './text-settings.ts';

/** What a retirement wants on its branch: no folder of the environment, and no entry of it in model.yaml. */
export async function retireDraft(
  { change, evidence }: StoredChange,
  context: StepContext,
  base: string,
): Promise<Draft> {
  if (evidence.kind !== 'retire') throw new TypeError(`change ${change.id} is no retirement`);
  const { repository } = context;
  const place = await placeOf(repository, base, change);
  const path = modelPath(change.model);
  const modelYaml = (await repository.read(base, path))?.text ?? '';
  const chain = await chainAt(repository, base, change);
  const source = { change: change.id, request: evidence.request, ...place, modelYaml, chain };
  const rendered = renderRetire(source);
  const text = async () => {
    const folder = await repository.files(base, environmentFolder(change.model, change.environment));
    const before = [...folder, { path, text: modelYaml }];
    return retirePullRequest({ source, before, after: rendered.files, ...textSettings(context) });
  };
  return { rendered, text, reviewers: place.environment.reviewers ?? [] };
}
