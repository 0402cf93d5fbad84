import { choice, type EnvOf, integer, optionalText, optionalUrl, SERVICE_ENV, text, url } from '@fairway/core';
import { FORGE_ENV } from './forge-settings.ts';
import { GIT_ENV } from './git-settings.ts';
import { readCredentials, readToken } from './http/auth/credentials.ts';
import { MLFLOW_ENV } from './sources/mlflow/settings.ts';
import { SAS_ENV } from './sources/sas/settings.ts';
import { IMAGE_ENV } from './image-settings.ts';

const HTTP = ['http', 'https'] as const;

/** The writer's environment. */
export const WRITER_ENV = {
  ...SERVICE_ENV,
  DATABASE_URL: url('PostgreSQL of the writer', ['postgres', 'postgresql']),
  QUEUE_URL: url('queue of the writer: Redis, or BullMQ on PostgreSQL', ['redis', 'rediss', 'postgres', 'postgresql']),
  QUEUE_PREFIX: text('key prefix (Redis) or schema (PostgreSQL) of the queue', 'fairway'),
  DATA_DIR: text('folder for the Git mirror and temporary files'),
  WRITER_TOKEN: {
    about: 'bearer token that callers of the API send',
    read: readToken,
  },
  WRITER_CREDENTIALS: {
    about: 'more callers of the API, each with a role',
    read: readCredentials,
  },
  ...GIT_ENV,
  ...FORGE_ENV,
  MODEL_DIRECTORY: optionalText('folder of the directory registry'),
  ...SAS_ENV,
  ...MLFLOW_ENV,
  CHAMPION_EVERY_MS: integer('how often registries are asked for their champions', {
    min: 100,
    max: 3_600_000,
    fallback: 60_000,
  }),
  HOOK_PATIENCE_MS: integer('how long a hook may claim what its registry does not say, before it is unverified', {
    min: 0,
    max: 3_600_000,
    fallback: 240_000,
  }),
  ...IMAGE_ENV,
  SERVING_BASE: pinned('image of TensorFlow Serving that models are put on'),
  AGENT_IMAGE: pinned('image of the capture agent'),
  KUBECONFIG: optionalText('kubeconfig file; without it the service account of the pod is used'),
  ARGOCD_NAMESPACE: text('namespace of the Argo CD Applications', 'openshift-gitops'),
  SYNC_RULE: choice(
    'what must be Synced: the whole Application, or only what Fairway renders in it',
    ['strict', 'own-resources'],
    'strict',
  ),
  HEALTH_HYSTERESIS_MS: integer('how long an Application must have been Healthy before a change is live', {
    min: 0,
    max: 600_000,
    fallback: 5_000,
  }),
  PROMOTE_EVERY_MS: integer('how often versions that have soaked are looked for', {
    min: 100,
    max: 3_600_000,
    fallback: 60_000,
  }),
  MONITOR_URL: optionalUrl(
    'monitor that is asked before a version is promoted, tests edited policies, and tells people where the writer has no channel',
    HTTP,
  ),
  MONITOR_TOKEN: optionalText('bearer token of the monitor'),
  POLICY_TEST_EVERY_MS: integer('how often pull requests that edit a policy are looked for', {
    min: 100,
    max: 3_600_000,
    fallback: 30_000,
  }),
  TEAMS_WEBHOOK_URL: optionalUrl('Teams workflow that takes cards', HTTP),
  NOTIFY_WEBHOOK_URL: optionalUrl('address that takes signed messages as JSON', HTTP),
  NOTIFY_WEBHOOK_SECRET: optionalText('signs the messages to NOTIFY_WEBHOOK_URL'),
  ANSWER_ORIGINS: origins('origins that answers to workflows may be sent to, parted by commas'),
  ANSWER_SECRET: optionalText('secret that answers to workflows are signed with'),
  DASHBOARD_URL: optionalUrl('base URL of the dashboard, for links', HTTP),
};

export type WriterEnv = EnvOf<typeof WRITER_ENV>;

/** `https://host[:port]`, several parted by commas; none when not set. */
function origins(about: string) {
  return {
    about,
    read: (raw: string | undefined): { value: readonly string[] } | { problem: string } => {
      const given = (raw ?? '')
        .split(',')
        .map((one) => one.trim().replace(/\/$/, ''))
        .filter((one) => one !== '');
      const wrong = given.find((one) => !URL.canParse(one) || !/^https?:/.test(one) || new URL(one).origin !== one);
      return wrong === undefined
        ? { value: given }
        : { problem: 'must be origins such as https://viya.example.com, without paths' };
    },
  };
}

function pinned(about: string) {
  return {
    about,
    read: (raw: string | undefined): { value: string } | { problem: string } => {
      if (raw === undefined) return { problem: 'is not set' };
      const isPinned = /^[^\s@]+@sha256:[0-9a-f]{64}$/.test(raw);
      return isPinned ? { value: raw } : { problem: 'must be pinned by digest: name@sha256:<64 hex digits>' };
    },
  };
}
