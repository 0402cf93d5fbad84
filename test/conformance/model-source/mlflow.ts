import { FLAVORS, type Field, mlmodelFile, tensor } from '../../harness/mlflow/mlmodel.ts';
import type { Dialect } from '../../harness/mlflow/tracking.ts';
import { filesIn, NAME, startWorld, type Store } from '../../harness/mlflow/world.ts';
import type { Registration, StartedTarget, Target } from './target.ts';

const MODEL = 'home-equity';
const WORDS = 'data/model/assets/words.txt';

/** `said`: whether what is registered lies in files among the artifacts, or in tags and the signature of MLmodel. */
export const mlflowTarget = (dialect: Dialect, store: Store, said: 'files' | 'tags'): Target => ({
  name: `mlflow ${dialect} (${store}, ${said})`,
  start: async () => {
    const world = await startWorld(dialect, store);
    const versionOf = (version: string) => {
      const found = world.tracking.models.get(NAME)?.versions.find((one) => one.version === version);
      if (found === undefined) throw new Error(`no version ${version}`);
      return found;
    };
    const started: StartedTarget = {
      source: world.mlflow.source,
      of: { model: MODEL, source: { registry: 'mlflow', name: NAME, alias: 'champion' } },
      unknown: { model: 'nobody', source: { registry: 'mlflow', name: 'nobody', alias: 'champion' } },
      scratch: world.scratch,
      setting: 'MLFLOW_URL',
      secrets: world.secrets,
      register: (folder, registration) => {
        const files = filesIn(folder, 'data/model/');
        const { beside, tags, mlmodel } = said === 'files' ? asFiles(registration) : asTags(registration);
        for (const [name, value] of Object.entries(beside)) files.set(name, Buffer.from(JSON.stringify(value)));
        files.set('MLmodel', mlmodel);
        return Promise.resolve(world.register(files, tags).version);
      },
      crown: (version) => {
        const aliases = world.tracking.models.get(NAME)?.aliases;
        if (version === undefined) aliases?.delete('champion');
        else aliases?.set('champion', version);
        return Promise.resolve();
      },
      tamper: (version) => {
        const found = versionOf(version);
        world.overwrite(found, WORDS, Buffer.concat([world.read(found, WORDS), Buffer.from('one more\n')]));
        return Promise.resolve();
      },
      down: world.tracking.down,
      up: world.tracking.up,
      stop: world.stop,
    };
    return started;
  },
});

const asFiles = (registration: Registration) => ({
  beside: registration,
  tags: {},
  mlmodel: mlmodelFile(FLAVORS.keras),
});

function asTags(registration: Registration) {
  const properties = registration['ModelProperties.json'] as Record<string, string>;
  const fields = (file: 'inputVar.json' | 'outputVar.json'): Field[] =>
    (registration[file] as ReadonlyArray<{ name: string; type: string }>).map(({ name, type }) =>
      tensor(name, type === 'string' ? 'str' : 'float32', [-1, 1]),
    );
  return {
    beside: { 'baseline.json': registration['baseline.json'] },
    tags: {
      'fairway.target': properties['targetVariable'] ?? '',
      'fairway.event': properties['targetEvent'] ?? '',
      'fairway.probability': properties['eventProbVar'] ?? '',
    },
    mlmodel: mlmodelFile(FLAVORS.keras, fields('inputVar.json'), fields('outputVar.json')),
  };
}
