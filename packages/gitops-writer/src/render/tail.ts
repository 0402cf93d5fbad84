import { AGENT_MEMORY_MIB, agentMemory } from '@fairway/core';
import { environmentOf, queueFiles, queueMount, queueVolume, redaction } from './agent-container.ts';
import type { TailSettings } from './capture-settings.ts';
import { ANNOTATION, containerSecurity, metadataOf, podSecurity, type Workload } from './workload.ts';

const NAME = 'fairway-tail';
const VERSIONS = 'fairway-tail-versions';
const LOGS = '/var/log/scoring';
const STATE = '/var/lib/fairway-tail';
const RECORDER_FILES = '/etc/fairway-recorder';
const VERSION_FILE = '/etc/fairway/modelversion.json';

/** The ConfigMap that kustomize makes of modelversion.json, under one name (see the golden cases). */
export const versionsConfigMap = (workload: Workload): object => ({
  name: VERSIONS,
  namespace: workload.environment.namespace,
  files: ['modelversion.json'],
  options: { disableNameSuffixHash: true },
});

/** The process that reads a program's scoring logs. One at a time: two would write the same checkpoints. */
export function tailDeployment(workload: Workload, tail: TailSettings): object {
  const { change, modelVersion, agentImage } = workload;
  const { model, version } = modelVersion;
  // None of the scoring pods', or their Services would choose it.
  const own = {
    'app.kubernetes.io/managed-by': 'fairway',
    'app.kubernetes.io/name': NAME,
    [`${ANNOTATION}/tail`]: model,
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadataOf(workload, NAME, { labels: own }),
    spec: {
      replicas: 1,
      strategy: { type: 'Recreate' },
      selector: { matchLabels: own },
      template: {
        // Named, because it is read at the start: another version is another process.
        metadata: {
          labels: own,
          annotations: { [`${ANNOTATION}/change`]: change, [`${ANNOTATION}/version`]: version },
        },
        spec: {
          automountServiceAccountToken: false,
          securityContext: podSecurity,
          terminationGracePeriodSeconds: 30,
          containers: [container(workload, agentImage, tail)],
          volumes: [
            queueVolume,
            ...(tail.label === undefined ? [] : [{ name: 'recorder', secret: { secretName: 'fairway-recorder' } }]),
            { name: 'logs', persistentVolumeClaim: { claimName: tail.claim, readOnly: true } },
            { name: 'state', persistentVolumeClaim: { claimName: tail.stateClaim } },
            { name: 'versions', configMap: { name: VERSIONS } },
          ],
        },
      },
    },
  };
}

function container(workload: Workload, image: string, tail: TailSettings): object {
  const alive = { path: '/healthz', port: 'admin' };
  return {
    name: 'tail',
    image,
    args: ['tail'],
    env: environmentOf(settings(workload, tail)),
    ports: [{ name: 'admin', containerPort: 9090, protocol: 'TCP' }],
    startupProbe: { httpGet: alive, periodSeconds: 1, failureThreshold: 60 },
    readinessProbe: { httpGet: alive, periodSeconds: 5, failureThreshold: 3 },
    resources: { requests: { cpu: '50m', memory: '112Mi' }, limits: { memory: `${AGENT_MEMORY_MIB}Mi` } },
    securityContext: { ...containerSecurity, readOnlyRootFilesystem: true },
    volumeMounts: [
      queueMount,
      ...(tail.label === undefined ? [] : [{ name: 'recorder', mountPath: RECORDER_FILES, readOnly: true }]),
      { name: 'logs', mountPath: LOGS, readOnly: true },
      { name: 'state', mountPath: STATE },
      { name: 'versions', mountPath: '/etc/fairway', readOnly: true },
    ],
  };
}

function settings({ modelVersion, environment, file }: Workload, tail: TailSettings): Record<string, string> {
  const { label } = tail;
  return {
    ADMIN_PORT: '9090',
    ...redaction(file.capture),
    FAIRWAY_ENVIRONMENT: environment.name,
    FAIRWAY_MODEL: modelVersion.model,
    ...agentMemory(AGENT_MEMORY_MIB),
    ...queueFiles,
    ...(tail.delimiter === undefined ? {} : { TAIL_DELIMITER: tail.delimiter }),
    TAIL_FILES: `${LOGS}/${tail.files}`,
    ...(label === undefined
      ? {}
      : {
          TAIL_LABEL: label.column,
          TAIL_RECORDER_TOKEN_FILE: `${RECORDER_FILES}/token`,
          TAIL_RECORDER_URL: label.recorder,
        }),
    TAIL_MODEL_VERSIONS: VERSION_FILE,
    TAIL_SCORE: tail.score,
    TAIL_STATE_DIR: STATE,
    TAIL_TIME: tail.time,
    TAIL_VERSION: modelVersion.version,
  };
}
