import { type Change, FairwayError, iso, type Logger } from '@fairway/core';
import { migrate } from '../../../packages/gitops-writer/src/store/migrate.ts';
import { answerVia, answerProblem } from '../../../packages/gitops-writer/src/app/answers.ts';
import type { InboxContext } from '../../../packages/gitops-writer/src/app/inbox.ts';
import { announcing, telling } from '../../../packages/gitops-writer/src/app/outgoing.ts';
import type {
  Champion,
  LoadedVersion,
  ModelSource,
  Notification,
  Repository,
} from '../../../packages/gitops-writer/src/ports.ts';
import { championBook } from '../../../packages/gitops-writer/src/store/champions.ts';
import { changeIntake, changeReader } from '../../../packages/gitops-writer/src/store/changes.ts';
import { inbox } from '../../../packages/gitops-writer/src/store/inbox.ts';
import { outbox } from '../../../packages/gitops-writer/src/store/outbox.ts';
import { openPool } from '../../../packages/gitops-writer/src/store/pool.ts';
import { turnLocks } from '../../../packages/gitops-writer/src/store/turn-locks.ts';
import { startPostgres } from '../../harness/postgres.ts';
import { SIGNATURE } from '../writer/cluster.ts';

export const MODEL = 'home-equity';
const ANSWERS = { origins: ['https://viya.example.com'], schemes: ['sas'] };

/** What a registry of these tests says; hand-made, for what a folder cannot do: be away, lie, name people. */
export type Said = {
  champion?: Champion | undefined;
  /** Digest of each version, or why it cannot be loaded. */
  versions: Record<string, string | FairwayError>;
  answerTo?: string | undefined;
  away?: FairwayError | undefined;
  /** Calls of `champion` and `load` so far. */
  asked: number;
  loads: number;
  /** Called before a version is loaded. */
  onLoad?: () => Promise<void>;
};

export const away = (): FairwayError =>
  new FairwayError(
    'registry.unavailable',
    'SAS Viya at https://viya.example.com (SAS_URL) cannot be used: it is down.',
  );

export const championOf = (version: string, more: Partial<Champion> = {}): Champion => ({
  version,
  fingerprint: `sas-${version}`,
  names: { projectId: 'p-1', modelId: `m-${version}`, modelVersionName: '1.0' },
  ...more,
});

export type IntakeWorld = Omit<InboxContext, 'exclusive'> & {
  readonly context: InboxContext;
  readonly replicas: readonly InboxContext[];
  readonly said: Said;
  /** Of the GitOps repository. */
  readonly files: Map<string, string>;
  readonly logged: readonly Logged[];
  /** Results of looks, as the metric counts them. */
  readonly looked: readonly string[];
  pass(ms: number): void;
  at(): string;
  deploys(): Promise<readonly Change[]>;
  notifications(): Promise<readonly Notification[]>;
  stop(): Promise<void>;
};
type Logged = { readonly level: string; readonly message: string; readonly fields: object };

/** The writer's intake over a real PostgreSQL, with a registry and a GitOps repository that a test speaks for. */
export async function startIntake(yaml: string = modelYaml('sas')): Promise<IntakeWorld> {
  const postgres = await startPostgres();
  const logged: Logged[] = [];
  const log = logger(logged);
  const pool = openPool(postgres.url, 8, log);
  await migrate(pool);
  const said: Said = { versions: {}, asked: 0, loads: 0 };
  const files = new Map([[`models/${MODEL}/model.yaml`, yaml]]);
  const time = { now: Date.parse('2026-11-22T10:00:00Z') };
  const clock = { now: () => time.now };
  const channels = { teams: true, answerVia: (to: string | undefined) => answerVia(to, ANSWERS) };
  const looked: string[] = [];
  const shared: Omit<InboxContext, 'exclusive'> = {
    intake: changeIntake(pool, clock, telling(channels)),
    changes: changeReader(pool),
    repository: repository(files),
    source: source(said),
    book: championBook(pool),
    inbox: inbox(pool),
    announce: announcing(channels),
    metrics: { championLooked: (_registry: string, result: string) => void looked.push(result) },
    clock,
    log,
    answerProblem: (to: string) => answerProblem(to, ANSWERS),
    enqueue: () => Promise.resolve(),
    patienceMs: 60_000,
  };
  const locks = [turnLocks(postgres.url, log), turnLocks(postgres.url, log)] as const;
  /** Two replicas: each has a session of its own. */
  const replicas = locks.map((exclusive): InboxContext => ({ ...shared, exclusive }));
  return {
    ...shared,
    context: replicas[0] as InboxContext,
    replicas,
    said,
    files,
    logged,
    looked,
    pass: (ms: number) => {
      time.now += ms;
    },
    at: () => iso(time.now),
    deploys: async () => (await shared.changes.list({ model: MODEL, kind: 'deploy' }, { limit: 100 })).changes,
    notifications: () => outbox(pool).list(),
    stop: async () => {
      for (const lock of locks) await lock.stop();
      await pool.end();
      await postgres.stop();
    },
  };
}

const SOURCES = {
  sas: '{ registry: sas, project: HMEQ, archive: model.zip, approves: prod }',
  mlflow: '{ registry: mlflow, name: hmeq, alias: champion, approves: prod }',
};

export const modelYaml = (registry: keyof typeof SOURCES, more = ''): string => `apiVersion: fairway.dev/v1
kind: Model
name: ${MODEL}
owner: credit-risk@example.com
source: ${SOURCES[registry]}
environments:
  - { name: dev, namespace: ${MODEL}-dev, merge: auto }
  - { name: prod, namespace: ${MODEL}-prod, merge: review }
${more}`;

/** One commit, whose files a test changes. */
function repository(files: ReadonlyMap<string, string>): Repository {
  const part: Partial<Repository> = {
    head: () => Promise.resolve('0'.repeat(40)),
    read: (_commit, path) => {
      const text = files.get(path);
      return Promise.resolve(text === undefined ? undefined : { text, blob: `${path} ${text}` });
    },
    folders: (_commit, folder) => {
      const below = [...files.keys()].filter((path) => path.startsWith(`${folder}/`));
      return Promise.resolve([...new Set(below.map((path) => path.split('/')[1] ?? ''))]);
    },
  };
  return part as Repository;
}

function source(said: Said): ModelSource {
  return {
    champion: () => {
      said.asked += 1;
      return said.away === undefined ? Promise.resolve(said.champion) : Promise.reject(said.away);
    },
    load: async (_of, version) => {
      said.loads += 1;
      await said.onLoad?.();
      const found = said.versions[version];
      if (said.away !== undefined) throw said.away;
      if (found instanceof FairwayError) throw found;
      if (found === undefined) throw new FairwayError('model.unknown', `Version ${version} is not there.`);
      return { ...loaded(version, found), ...(said.answerTo === undefined ? {} : { answerTo: said.answerTo }) };
    },
    files: () => Promise.reject(new Error('nobody reads files here')),
    versions: () => Promise.resolve([]),
    examine: () => Promise.resolve([]),
  };
}

const loaded = (version: string, digest: string): LoadedVersion => ({
  modelVersion: {
    model: MODEL,
    version,
    digest,
    signature: SIGNATURE,
    variables: [],
    target: { variable: 'BAD', event: '1', probability: 'P_BAD1' },
    metrics: {},
    origin: `sas:p-1/m-${version}/1.0`,
  },
  baseline: {
    definition: 1,
    model: MODEL,
    version,
    rows: 3,
    events: 1,
    source: 'a'.repeat(64),
    variables: [],
    performance: { auc: 0.8, ks: 0.5, rows: 3, events: 1 },
    scores: [],
  },
});

export const digestOf = (letter: string): string => `sha256:${letter.repeat(64)}`;

function logger(into: Logged[]): Logger {
  const at = (level: string) => (fields: object, message: string) => void into.push({ level, message, fields });
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } as unknown as Logger;
}
