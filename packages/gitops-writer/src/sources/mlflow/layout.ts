import { FairwayError, GOLDEN_FILE } from '@fairway/core';
import type { Artifact } from './artifacts/store.ts';
import type { Wanted } from './download.ts';
import type { MlModel } from './mlmodel.ts';

/** Files that tell about a model, at the root of its artifacts or beside saved_model.pb. */
export const BESIDE = [
  'ModelProperties.json',
  'inputVar.json',
  'outputVar.json',
  'baseline.json',
  GOLDEN_FILE,
] as const;

const PB = 'saved_model.pb';

/**
 * The folder of the SavedModel among the artifacts ('' is their root). The flavours of MLmodel say where it is; without one that
 * does, there must be exactly one. Throws `model.invalid` with what there is instead.
 */
export function savedModelFolder(artifacts: readonly Artifact[], mlmodel: MlModel | undefined, of: string): string {
  const folders = artifacts.map(({ path }) => path).filter((path) => path === PB || path.endsWith(`/${PB}`));
  const found = folders.map((path) => path.slice(0, -PB.length).replace(/\/$/, ''));
  const said = mlmodel === undefined ? [] : placesIn(mlmodel).filter((place) => found.includes(place));
  const [first, second] = said.length > 0 ? said : found;
  if (first !== undefined && (second === undefined || said.length > 0)) return first;
  if (first !== undefined)
    throw invalid(
      of,
      `have ${found.length} SavedModels (${found.slice(0, 5).join(', ')})`,
      'log one model in a folder of its own',
    );
  throw noSavedModel(artifacts, mlmodel, of);
}

/** By flavour: where MLflow 1 to 3 write a SavedModel. */
function placesIn({ flavors }: MlModel): string[] {
  const { tensorflow, keras } = flavors;
  const data = [tensorflow?.data, keras?.data].filter((folder) => folder !== undefined);
  const places = [
    tensorflow?.saved_model_dir,
    keras?.saved_model_dir,
    ...data.flatMap((folder) => [`${folder}/model`, folder]),
  ];
  return [...new Set(places.filter((place) => place !== undefined).map((place) => place.replace(/^\.\/|\/+$/g, '')))];
}

const EXPORT =
  "export it (model.export('folder'), or mlflow.keras.log_model(…, save_exported_model=True)) and register that";

function noSavedModel(artifacts: readonly Artifact[], mlmodel: MlModel | undefined, of: string): FairwayError {
  const keras = artifacts.find(({ path }) => /\.(keras|h5|hdf5)$/i.test(path));
  if (keras !== undefined)
    return invalid(of, `hold a Keras file (${keras.path}), which TensorFlow Serving cannot load`, EXPORT);
  if (artifacts.length === 0) return invalid(of, 'are none', 'log the model again; its files may have been deleted');
  const flavors = Object.keys(mlmodel?.flavors ?? {});
  const what =
    flavors.length === 0 ? 'have no saved_model.pb' : `have no saved_model.pb (flavours: ${flavors.join(', ')})`;
  return invalid(of, what, 'log it by mlflow.tensorflow, or register the folder of a SavedModel');
}

const invalid = (of: string, what: string, mend: string): FairwayError => {
  const sentence = `The artifacts of ${of} ${what}; ${mend}.`;
  return new FairwayError('model.invalid', sentence, { detail: { problems: [sentence] } });
};

/** The files of the SavedModel, and those about it, in one folder. What lies beside saved_model.pb goes before the root. */
export function wantedFiles(artifacts: readonly Artifact[], folder: string): Wanted[] {
  const start = folder === '' ? '' : `${folder}/`;
  const own = artifacts
    .filter(({ path }) => path.startsWith(start) && path !== 'MLmodel')
    .map((artifact) => ({ artifact, to: artifact.path.slice(start.length) }));
  const taken = new Set(own.map(({ to }) => to));
  const beside = artifacts
    .filter(({ path }) => BESIDE.some((name) => name === path) && !taken.has(path))
    .map((artifact) => ({ artifact, to: artifact.path }));
  return [...own, ...beside];
}
