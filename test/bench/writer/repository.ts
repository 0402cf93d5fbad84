import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** How a benchmark's GitOps repository is made. */
export type Shape = { readonly models: number; readonly environments: number; readonly commits: number };

const ENV = {
  PATH: process.env['PATH'] ?? '',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  LC_ALL: 'C.UTF-8',
};
export const git = (cwd: string, args: readonly string[], input = ''): string =>
  execFileSync('git', [...args], { cwd, env: ENV, input, encoding: 'utf8', maxBuffer: 2 ** 28, stdio: 'pipe' }).trim();

export const modelName = (i: number): string => `m-${String(i).padStart(4, '0')}`;
export const environmentName = (i: number): string => `e${i}`;

function modelYaml(model: string, environments: number): string {
  const lines = Array.from({ length: environments }, (_, i) => {
    const name = environmentName(i);
    return `  - { name: ${name}, namespace: ${model}-${name}, merge: review }`;
  });
  return `apiVersion: fairway.dev/v1
kind: Model
name: ${model}
owner: credit-risk@example.com
source: { registry: directory }
environments:
${lines.join('\n')}
`;
}

const POLICY = 'rules: []\n';
const NOTES = 'Owned by credit risk.\n';

/**
 * Fills the bare repository `folder`: three files for each model in the first commit, then `commits` small commits by
 * people, round the models. A bare repository is on the disk where the clone way works too.
 */
export function fillRepository(folder: string, { models, environments, commits }: Shape): void {
  const file = (path: string, text: string) => `M 100644 inline ${path}\ndata ${Buffer.byteLength(text)}\n${text}\n`;
  const commit = (i: number, changes: string) =>
    `commit refs/heads/main\ncommitter P <p@example.com> ${1_700_000_000 + i} +0000\ndata 4\nwork\n${changes}\n`;
  const first = Array.from({ length: models }, (_, i) => {
    const model = modelName(i);
    const at = `models/${model}`;
    return [
      file(`${at}/model.yaml`, modelYaml(model, environments)),
      file(`${at}/policy.yaml`, POLICY),
      file(`${at}/NOTES.md`, NOTES),
    ].join('');
  }).join('');
  const later = Array.from({ length: commits }, (_, i) =>
    commit(i + 1, file(`models/${modelName(i % models)}/NOTES.md`, `${NOTES}Reviewed ${i}.\n`)),
  );
  mkdirSync(folder, { recursive: true });
  git(folder, ['fast-import', '--quiet', '--force'], [commit(0, first), ...later].join(''));
}

/** What other tools do for one change: depth-1 clone, edit, commit, push. Answers milliseconds. */
export function cloneWay(remote: string, scratch: string, i: number): number {
  const began = performance.now();
  const clone = join(scratch, `clone-${i}`);
  git(scratch, ['clone', '--quiet', '--depth', '1', `file://${remote}`, clone]);
  const at = join(clone, 'models', modelName(i), 'environments', 'e0');
  mkdirSync(at, { recursive: true });
  writeFileSync(join(at, 'deployment.yaml'), `kind: Deployment\nmetadata: { name: clone-${i} }\n`);
  git(clone, ['checkout', '--quiet', '-b', `clone/${i}`]);
  git(clone, ['add', '--all']);
  git(clone, ['-c', 'user.name=P', '-c', 'user.email=p@example.com', 'commit', '--quiet', '-m', 'Deploy']);
  git(clone, ['push', '--quiet', 'origin', `clone/${i}`]);
  return performance.now() - began;
}
