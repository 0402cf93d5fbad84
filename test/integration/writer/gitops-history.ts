import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Approval, type Baseline, changeId, type ModelVersion, type RetrainRequest } from '@fairway/core';
import type { RepositoryFile } from '../../../packages/gitops-writer/src/ports.ts';
import { renderDeploy, type Rendered } from '../../../packages/gitops-writer/src/render/deploy.ts';
import { parseModelFile } from '../../../packages/gitops-writer/src/render/model-file.ts';
import { renderRetire } from '../../../packages/gitops-writer/src/render/retire.ts';
import { renderRetrain } from '../../../packages/gitops-writer/src/render/retrain.ts';
import { renderRollback } from '../../../packages/gitops-writer/src/render/rollback.ts';

export const MODEL = 'm';
export const digestOf = (version: string) => `sha256:${version.repeat(64).slice(0, 64)}`;
export const folderOf = (environment: string) => `models/${MODEL}/environments/${environment}`;
const image = (version: string) => `registry.example.com/models/m@${digestOf(version)}`;

export const MODEL_YAML = `apiVersion: fairway.dev/v1
kind: Model
name: m
owner: team@example.com
source: { registry: directory }
retrain: { image: trainer@sha256:${'7'.repeat(64)}, gateMargin: 0.01 }
environments:
  - { name: dev, namespace: m-dev, merge: auto }
  - { name: prod, namespace: m-prod, merge: review }
`;
const file = parseModelFile(MODEL, MODEL_YAML);

export type Deployed = Rendered & { readonly change: string; readonly approval: Approval };

/** What the writer renders for an approval. */
export function deploy(version: string, environment: string, event = `event-${version}-${environment}`): Deployed {
  const digest = digestOf(version);
  const approval: Approval = {
    eventId: event,
    model: MODEL,
    version,
    environment,
    actor: 'alice@example.com',
    time: '2026-11-22T08:30:00.000Z',
    evidence: 'V-12\nlooks good',
  };
  const change = changeId({ kind: 'deploy', model: MODEL, version, digest, environment, event });
  const modelVersion: ModelVersion = {
    model: MODEL,
    version,
    digest,
    signature: { name: 'serving_default', method: 'predict', inputs: [], outputs: [] },
    variables: [],
    target: { variable: 'BAD', event: '1', probability: 'P_BAD1' },
    metrics: { auc: 0.9 },
    origin: `directory:m/${version}`,
  };
  const place = file.environments.find(({ name }) => name === environment);
  if (place === undefined) throw new Error(`no environment ${environment}`);
  const source = { approval, change, modelVersion, baseline: baseline(version), file, image: image(version) };
  const agentImage = `agent@${digestOf('c')}`;
  return { ...renderDeploy({ ...source, environment: place, agentImage }), change, approval };
}

const baseline = (version: string): Baseline => ({
  definition: 1,
  model: MODEL,
  version,
  rows: 3,
  events: 1,
  source: 'b'.repeat(64),
  variables: [],
  performance: { auc: 0.9, ks: 0.6, rows: 3, events: 1 },
  scores: [[5000, 2, 1]],
});

/** What it renders for a request of the monitor; `newest` takes the place of the request that opened the change. */
export function retrain(dedupeKey: string, newest = dedupeKey): Rendered & { readonly change: string } {
  const version = '1';
  const environment = 'prod';
  const change = changeId({ kind: 'retrain', model: MODEL, version, digest: '', environment, event: dedupeKey });
  const window = { model: MODEL, version, environment, period: '2026Q2', start: 's', end: 'e' };
  const request = {
    kind: 'retrain',
    model: MODEL,
    version,
    environment,
    dedupeKey: newest,
    actor: 'fairway-monitor',
    verdict: {
      id: 'v',
      window,
      state: 'alert',
      findings: [],
      metrics: { predictions: 1, labelled: 1, auc: 0.7, ks: 0.4, psi: {} },
    },
    windows: [],
    snapshot: {
      id: 's',
      model: MODEL,
      file: 's.csv.gz',
      query: 'q',
      start: 's',
      end: 'e',
      rows: 1,
      labels: 1,
      events: 1,
      columns: [],
      sha256: 'e'.repeat(64),
    },
  } as unknown as RetrainRequest;
  if (file.retrain === undefined) throw new Error('the sample has a retrain section');
  const opened = newest === dedupeKey ? {} : { opened: { version, environment, dedupeKey } };
  return { ...renderRetrain({ change, request, file: { ...file, retrain: file.retrain }, ...opened }), change };
}

/** What it renders for the way back from `bad` to what `restores` had brought with `commit`. */
export function rollback(bad: Deployed, restores: Deployed, commit: string, quarantine?: string) {
  const { model, environment, version } = restores.approval;
  const digest = digestOf(version);
  const request = {
    kind: 'rollback' as const,
    model,
    environment,
    dedupeKey: 'r as 1',
    actor: 'bob as admin',
    reason: 'It failed.',
  };
  const change = changeId({ kind: 'rollback', model, version, digest, environment, event: request.dedupeKey });
  const left = { change: bad.change, version: bad.approval.version, digest: digestOf(bad.approval.version) };
  const evidence = {
    kind: 'rollback' as const,
    request,
    bad: left,
    restores: { change: restores.change, version, digest, commit },
  };
  const source = {
    change,
    since: '2026-11-23T00:00:00Z',
    evidence,
    restored: restores.files,
    approval: restores.approval,
  };
  return { ...renderRollback({ ...source, quarantine }), change };
}

/** What it renders for a retirement of what `deployed` had brought. */
export function retire(deployed: Deployed | undefined, environmentName: string) {
  const environment = file.environments.find(({ name }) => name === environmentName);
  if (environment === undefined) throw new Error(`no environment ${environmentName}`);
  const request = {
    kind: 'retire' as const,
    model: MODEL,
    environment: environmentName,
    dedupeKey: 'x',
    actor: 'bob',
    reason: 'old',
    confirm: '',
  };
  const version = deployed?.approval.version ?? '0';
  const digest = deployed === undefined ? '' : digestOf(version);
  const change = changeId({ kind: 'retire', model: MODEL, version, digest, environment: environmentName, event: 'x' });
  const chain =
    deployed === undefined
      ? undefined
      : { change: deployed.change, version, digest, image: image(version), approval: deployed.approval };
  return { ...renderRetire({ change, request, file, environment, modelYaml: MODEL_YAML, chain }), change };
}

/** A GitOps repository in which tests write history as people, forges and the writer do. */
export function gitopsHistory(format: 'sha1' | 'sha256' = 'sha1') {
  const dir = mkdtempSync(join(tmpdir(), 'fairway audit '));
  const environment = {
    PATH: process.env['PATH'] ?? '',
    HOME: dir,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'Mallory',
    GIT_AUTHOR_EMAIL: 'mallory@example.com',
    GIT_COMMITTER_NAME: 'Forge',
    GIT_COMMITTER_EMAIL: 'forge@example.com',
  };
  let clock = 1_790_000_000;
  const git = (args: readonly string[], input = '') => {
    const date = `${clock} +0000`;
    const env = { ...environment, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date };
    return execFileSync('git', args, {
      cwd: dir,
      env,
      input,
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'pipe'],
    }).trim();
  };
  git(['init', '--quiet', `--object-format=${format}`, '--initial-branch=main', '.']);
  const write = (files: readonly RepositoryFile[]) => {
    for (const { path, text } of files) {
      mkdirSync(dirname(join(dir, path)), { recursive: true });
      writeFileSync(join(dir, path), text);
    }
  };
  const commit = (message: string, ...paths: string[]) => {
    clock += 60;
    git(['add', '--all', ...paths]);
    git(['commit', '--quiet', '--allow-empty', '--file=-'], message);
    return git(['rev-parse', 'HEAD']);
  };
  const apply = ({ folders, files }: Rendered) => {
    for (const folder of folders) rmSync(join(dir, folder), { recursive: true, force: true });
    write(files);
  };
  /** The writer's branch of a change, off main; leaves it checked out. */
  const propose = (rendered: Rendered & { readonly change: string }) => {
    git(['checkout', '--quiet', '-B', `fairway/${rendered.change}`, 'main']);
    apply(rendered);
    return commit(rendered.message);
  };
  const onMain = (args: readonly string[]) => {
    clock += 60;
    git(['checkout', '--quiet', 'main']);
    git(args);
    return git(['rev-parse', 'HEAD']);
  };
  write([
    { path: `models/${MODEL}/model.yaml`, text: MODEL_YAML },
    { path: `models/${MODEL}/policy.yaml`, text: 'rules: []\n' },
  ]);
  commit('Begin');
  return {
    dir,
    environment,
    git,
    write,
    commit,
    apply,
    propose,
    read: (path: string) => readFileSync(join(dir, path)),
    /** Proposes a change and merges it as a forge does. */
    merge: (rendered: Rendered & { readonly change: string }, how: 'merge' | 'squash' | 'rebase' = 'merge') => {
      propose(rendered);
      const branch = `fairway/${rendered.change}`;
      if (how === 'merge') return onMain(['merge', '--quiet', '--no-ff', '-m', `Merge ${branch}`, branch]);
      if (how === 'rebase') return onMain(['cherry-pick', '--keep-redundant-commits', branch]);
      onMain(['merge', '--quiet', '--squash', branch]);
      return commit(
        `${rendered.message.split('\n')[0]} (#1)\n\n* ${rendered.message}\n\nCo-authored-by: x <x@example.com>\n`,
      );
    },
    /** Merges what is checked out without committing, for what is added by hand. */
    mergeOpen: (branch: string) => {
      git(['checkout', '--quiet', 'main']);
      git(['merge', '--quiet', '--no-ff', '--no-commit', branch]);
    },
    checkout: (name: string) => git(['checkout', '--quiet', name]),
    onMain,
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

export type GitopsHistory = ReturnType<typeof gitopsHistory>;
