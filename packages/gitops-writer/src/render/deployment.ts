import { agentContainer, agentVolumes, askForAgent } from './agent-container.ts';
import { configVolume, loadSecondsOf, servingContainer } from './serving-container.ts';
import {
  ANNOTATION,
  DRAIN_SECONDS,
  labels,
  metadataOf,
  podSecurity,
  selector,
  settingsOf,
  type Workload,
} from './workload.ts';

/** For the agent to send what it has, once the model is gone. */
const FLUSH_SECONDS = 20;
/** A Deployment's own default, and below it a slow pull of an image would count as a failed rollout. */
const LEAST_DEADLINE_SECONDS = 600;

/** The Deployment: TensorFlow Serving with the model in its image, the agent before it as a native sidecar. */
export function deployment(workload: Workload, name = workload.modelVersion.model): object {
  const { modelVersion } = workload;
  const settings = settingsOf(workload);
  const chosen = selector(modelVersion.model, name);
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadataOf(workload, name, { labels: labels(workload, name) }),
    spec: {
      // An autoscaler's number is not in Git, or every sync would take it back.
      ...(settings.autoscaling === undefined ? { replicas: settings.replicas } : {}),
      revisionHistoryLimit: 3,
      // Above the time a large model needs to load, or a slow load would count as a failed rollout.
      progressDeadlineSeconds: Math.max(LEAST_DEADLINE_SECONDS, 2 * loadSecondsOf(workload) + 60),
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: 0 } },
      selector: { matchLabels: chosen },
      template: { metadata: templateMetadata(workload, name), spec: podSpec(workload, chosen) },
    },
  };
}

function templateMetadata(workload: Workload, name: string): object {
  const { change, modelVersion } = workload;
  const asked = askForAgent(workload);
  return {
    labels: { ...labels(workload, name), ...asked.labels },
    annotations: {
      [`${ANNOTATION}/change`]: change,
      [`${ANNOTATION}/model`]: modelVersion.model,
      [`${ANNOTATION}/version`]: modelVersion.version,
      [`${ANNOTATION}/digest`]: modelVersion.digest,
      ...asked.annotations,
    },
  };
}

function podSpec(workload: Workload, chosen: object): object {
  const { gpu, timeoutSeconds } = settingsOf(workload);
  const volumes = [...agentVolumes(workload), ...configVolume(workload)];
  const agent = agentContainer(workload);
  return {
    automountServiceAccountToken: false,
    securityContext: podSecurity,
    terminationGracePeriodSeconds: DRAIN_SECONDS + timeoutSeconds + FLUSH_SECONDS,
    ...(agent === undefined ? {} : { initContainers: [agent] }),
    containers: [servingContainer(workload)],
    ...(volumes.length === 0 ? {} : { volumes }),
    topologySpreadConstraints: [
      {
        labelSelector: { matchLabels: chosen },
        maxSkew: 1,
        topologyKey: 'kubernetes.io/hostname',
        whenUnsatisfiable: 'ScheduleAnyway',
      },
    ],
    ...(gpu === undefined
      ? {}
      : {
          ...(gpu.nodes === undefined ? {} : { nodeSelector: gpu.nodes }),
          tolerations: [{ effect: 'NoSchedule', key: 'nvidia.com/gpu', operator: 'Exists' }],
        }),
  };
}
