import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { FairwayError } from '@fairway/core';
import { parseAllDocuments } from 'yaml';
import { type Kind, kindOf } from '../kinds.ts';
import { isRecord, type KubeObject } from '../objects.ts';
import { run } from './git.ts';
import { hookProblem, isHook } from './hooks.ts';
import type { Repositories } from './repositories.ts';

/** One object that Git asks for. */
export type Target = { readonly kind: Kind; readonly object: KubeObject };
type Rendered = { readonly targets: readonly Target[]; readonly sourceType: 'Kustomize' | 'Directory' };

/** Renders a path of a commit; the same tree is rendered once. */
export type Renderer = (url: string, commit: string, path: string) => Promise<Rendered>;

const KUSTOMIZATIONS = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];
const KEPT_TREES = 500;

export function renderer(repositories: Repositories, kubectl: string, path: string): Renderer {
  const byTree = new Map<string, Promise<Rendered>>();
  return async (url, commit, appPath) => {
    const tree = await repositories.treeOf(url, commit, appPath);
    if (tree === undefined) throw new FairwayError('sync.failed', `${appPath}: app path does not exist`);
    const known = byTree.get(tree);
    if (known) return known;
    const rendering = renderTree(repositories, kubectl, path, { url, commit, path: appPath });
    byTree.set(tree, rendering);
    if (byTree.size > KEPT_TREES) byTree.delete(byTree.keys().next().value ?? '');
    // A bad manifest stays bad, but what failed for want of disk or time may work next time.
    rendering.catch(() => byTree.delete(tree));
    return rendering;
  };
}

async function renderTree(
  repositories: Repositories,
  kubectl: string,
  path: string,
  at: { url: string; commit: string; path: string },
): Promise<Rendered> {
  const folder = await repositories.checkOut(at.url, at.commit, at.path);
  try {
    const dir = join(folder, at.path);
    const kustomized = KUSTOMIZATIONS.some((name) => existsSync(join(dir, name)));
    const text = kustomized ? await run(kubectl, ['kustomize', dir], { PATH: path, HOME: folder }) : readPlain(dir);
    return { targets: parseManifests(text), sourceType: kustomized ? 'Kustomize' : 'Directory' };
  } catch (error) {
    // The check-out folder is ours: in an error it would only confuse, and it differs each time.
    throw new FairwayError('sync.failed', (error as Error).message.replaceAll(folder, ''), { cause: error });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readPlain(dir: string): string {
  const files = readdirSync(dir, { withFileTypes: true }).filter(
    (file) => file.isFile() && /\.(ya?ml|json)$/.test(file.name),
  );
  return files
    .map(({ name }) => name)
    .sort()
    .map((name) => readFileSync(join(dir, name), 'utf8'))
    .join('\n---\n');
}

/** Objects of a YAML stream. Unknown kinds, YAML errors and objects without a name are refused with a sentence. */
export function parseManifests(text: string): Target[] {
  return parseAllDocuments(text).flatMap((document) => {
    const [error] = document.errors;
    if (error) throw new FairwayError('sync.failed', `A manifest is not valid YAML: ${error.message}`);
    const value: unknown = document.toJS();
    if (value === null || value === undefined) return [];
    if (!isRecord(value) || typeof value['apiVersion'] !== 'string' || typeof value['kind'] !== 'string') {
      throw new FairwayError('sync.failed', 'A manifest has no apiVersion and kind.');
    }
    const object = withoutNulls(value) as KubeObject;
    const kind = kindOf(object);
    if (!kind)
      throw new FairwayError(
        'sync.failed',
        `The Kubernetes API could not find ${object.apiVersion}/${object.kind}: make sure the CRD is installed on the destination cluster.`,
      );
    if (!object.metadata?.name)
      throw new FairwayError('sync.failed', `A ${object.kind} in the manifests has no metadata.name.`);
    const unfit = isHook(object) ? hookProblem(object) : undefined;
    if (unfit !== undefined) throw new FairwayError('sync.failed', unfit);
    return [{ kind, object }];
  });
}

/** The API server drops null fields; kept, they would always differ. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== null)
      .map(([key, item]) => [key, withoutNulls(item)]),
  );
}
