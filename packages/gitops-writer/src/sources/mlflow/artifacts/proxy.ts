import { FairwayError, gate } from '@fairway/core';
import type { MlflowClient } from '../client.ts';
import { FILES } from '../shapes.ts';
import { bodyOf } from './body.ts';
import { pathProblem } from './paths.ts';
import type { Artifact, ArtifactStore } from './store.ts';

const PROXY = '/api/2.0/mlflow-artifacts/artifacts';
const DEEPEST = 20;
const MOST = 20_000;
const WIDTH = 4;

/**
 * Artifacts that the tracking server keeps for its clients (`mlflow-artifacts:`). It lists one folder at a time, names without
 * their folder; it tells sizes and nothing else of a file.
 */
export function proxyStore(client: MlflowClient, root: string): ArtifactStore {
  const list = async (): Promise<Artifact[]> => {
    const through = gate(WIDTH);
    const found: Artifact[] = [];
    let seen = 0;
    const walk = async (folder: string, depth: number): Promise<void> => {
      const answer = await through(() =>
        client.get('/mlflow-artifacts/artifacts', FILES, { path: joined(root, folder) }),
      );
      if ('refusal' in answer) throw client.unexpected(answer.refusal);
      const { files } = answer.data;
      seen += files.length;
      if (seen > MOST || depth > DEEPEST) throw endless(root);
      const folders: string[] = [];
      for (const { path, is_dir: isFolder, file_size: size } of files) {
        const name = joined(folder, path);
        if (!isFolder) found.push({ path: name, size, etag: undefined });
        // It would be asked for as a path: the check of files comes too late.
        else if (pathProblem(path, 400) !== undefined || path.includes('/')) throw badFolder(root, path);
        else folders.push(name);
      }
      await Promise.all(folders.map((name) => walk(name, depth + 1)));
    };
    await walk('', 0);
    return found;
  };
  return {
    list,
    open: async ({ path }, signal) => {
      const url = `${PROXY}/${joined(root, path).split('/').map(encodeURIComponent).join('/')}`;
      const answer = await client.remote.download(url, { signal, headers: PLAIN });
      return bodyOf(answer, `${path} on the MLflow server at ${client.at} (MLFLOW_URL)`);
    },
    close: () => undefined,
  };
}

/** Packed on the way, a file's bytes could not be held against its size. */
const PLAIN = { accept: '*/*', 'accept-encoding': 'identity' };

const joined = (folder: string, name: string): string =>
  folder === '' ? name : name === '' ? folder : `${folder}/${name}`;

const endless = (root: string): FairwayError =>
  new FairwayError(
    'model.invalid',
    `The artifacts below ${root} are more than ${MOST} files, or more than ${DEEPEST} folders deep; register the folder of the model itself.`,
  );

const badFolder = (root: string, path: string): FairwayError =>
  new FairwayError(
    'model.invalid',
    `The MLflow server lists a folder ${JSON.stringify(path.slice(0, 120))} below ${root}, which is no plain name; log the model again.`,
  );
