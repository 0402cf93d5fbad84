import { ADMIN_PORT, AGENT_GRPC_PORT, AGENT_PORT } from './agent-container.ts';
import { METRICS_PATH } from './serving-container.ts';
import { SMOKE } from './smoke.ts';
import { ANNOTATION, metadataOf, selector, settingsOf, type Workload } from './workload.ts';

const METRICS = 'fairway-metrics';

/**
 * By the CPU of the model alone: the agent's, which grows with every request as well, would thin the average out. Down slowly,
 * because a pod that is needed again has to load the model first.
 */
export function autoscaler(
  workload: Workload,
  { min, max, cpu }: { readonly min: number; readonly max: number; readonly cpu: number },
): object {
  const { model } = workload.modelVersion;
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: metadataOf(workload, model),
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: model },
      minReplicas: min,
      maxReplicas: max,
      metrics: [
        {
          type: 'ContainerResource',
          containerResource: {
            container: 'serving',
            name: 'cpu',
            target: { type: 'Utilization', averageUtilization: cpu },
          },
        },
      ],
      behavior: { scaleDown: { stabilizationWindowSeconds: 600 } },
    },
  };
}

/** Nodes are emptied one pod at a time. Not for a single pod: there it would say nothing, or hold up every drain. */
export function disruptionBudget(workload: Workload, name = workload.modelVersion.model): object {
  const { model } = workload.modelVersion;
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metadataOf(workload, name),
    spec: { maxUnavailable: 1, selector: { matchLabels: selector(model, name) } },
  };
}

/** Callers reach the agent and nothing past it: what goes past it is in no record. */
export function networkPolicy(workload: Workload): object {
  const { model } = workload.modelVersion;
  const { grpc, metrics } = settingsOf(workload);
  const ports = (...numbers: number[]) => numbers.map((port) => ({ port, protocol: 'TCP' }));
  const named = (name: string) => ({ matchLabels: { 'app.kubernetes.io/name': name } });
  // A pod that was made while no injector answered has no agent, and is to serve nevertheless.
  const unarmed = workload.file.capture.agent === 'injector' ? [8501, ...(grpc ? [8500] : [])] : [];
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadataOf(workload, 'fairway-serving'),
    spec: {
      podSelector: { matchLabels: { [`${ANNOTATION}/model`]: model } },
      policyTypes: ['Ingress'],
      ingress: [
        { ports: ports(AGENT_PORT, ...(grpc ? [AGENT_GRPC_PORT] : []), ...unarmed) },
        // The writer asks TensorFlow Serving itself which version it serves, and so do the golden cases.
        {
          from: [{ namespaceSelector: {}, podSelector: named('fairway-writer') }, { podSelector: named(SMOKE) }],
          ports: ports(8501),
        },
        // Prometheus, which reads the agents by the installation's PodMonitors too.
        {
          from: [{ namespaceSelector: { matchLabels: { [`${ANNOTATION}/may-call`]: 'true' } } }],
          ports: ports(ADMIN_PORT, ...(metrics === undefined ? [] : [8501])),
        },
      ],
    },
  };
}

/** A Service for Prometheus alone, so that the doors of callers stay as they are. */
export function metricsService(workload: Workload): object {
  const { model } = workload.modelVersion;
  const metadata = metadataOf(workload, METRICS);
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...metadata, labels: { ...metadata.labels, [`${ANNOTATION}/metrics`]: 'true' } },
    spec: {
      clusterIP: 'None',
      selector: { [`${ANNOTATION}/model`]: model },
      ports: [
        { name: 'agent', port: ADMIN_PORT, protocol: 'TCP', targetPort: ADMIN_PORT },
        { name: 'serving', port: 8501, protocol: 'TCP', targetPort: 8501 },
      ],
    },
  };
}

export function serviceMonitor(workload: Workload): object {
  const how = { interval: '30s', relabelings: ['model', 'environment'].map(podLabel) };
  const agent = { port: 'agent', path: '/metrics', ...how };
  const serving = { port: 'serving', path: METRICS_PATH, ...how };
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'ServiceMonitor',
    metadata: metadataOf(workload, METRICS),
    spec: {
      selector: { matchLabels: { [`${ANNOTATION}/metrics`]: 'true' } },
      endpoints: settingsOf(workload).metrics === 'all' ? [agent, serving] : [serving],
    },
  };
}

/** As the installation's PodMonitors name them, so that its alerts hold for both. */
const podLabel = (name: string): object => ({
  sourceLabels: [`__meta_kubernetes_pod_label_fairway_dev_${name}`],
  targetLabel: name,
});
