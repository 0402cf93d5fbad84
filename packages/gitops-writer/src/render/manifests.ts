import { type Canary, canaryService, stableDeployment, stableName } from './canary.ts';
import { deployment } from './deployment.ts';
import { doorOf, modelService, service } from './doors.ts';
import { autoscaler, disruptionBudget, metricsService, networkPolicy, serviceMonitor } from './protection.ts';
import { needsConfig, servingConfig } from './serving-container.ts';
import { tailDeployment } from './tail.ts';
import { selector, settingsOf, type Workload } from './workload.ts';

/** The objects of an environment by the name of their file, but for the smoke test's. */
export function manifestsOf(workload: Workload, canary: Canary | undefined): Record<string, object> {
  const settings = settingsOf(workload);
  const { autoscaling, replicas, door, metrics } = settings;
  const { tail } = workload.file.capture;
  const several = (autoscaling?.min ?? replicas) > 1;
  return {
    'deployment.yaml': deployment(workload),
    ...(canary === undefined ? { 'service.yaml': modelService(workload) } : beside(workload, canary, several)),
    ...(needsConfig(settings) ? { 'serving-config.yaml': servingConfig(workload) } : {}),
    ...(autoscaling === undefined ? {} : { 'autoscaler.yaml': autoscaler(workload, autoscaling) }),
    ...(several ? { 'disruption-budget.yaml': disruptionBudget(workload) } : {}),
    ...(settings.networkPolicy ? { 'network-policy.yaml': networkPolicy(workload) } : {}),
    ...(door === undefined ? {} : { [`${FILE[door.kind]}.yaml`]: doorOf(workload, door, canary) }),
    ...(metrics === undefined
      ? {}
      : { 'metrics-service.yaml': metricsService(workload), 'service-monitor.yaml': serviceMonitor(workload) }),
    ...(tail === undefined ? {} : { 'tail.yaml': tailDeployment(workload, tail) }),
  };
}

/** What goes on with the version before, and who leads where. */
function beside(workload: Workload, { stable }: Canary, several: boolean): Record<string, object> {
  const { model } = workload.modelVersion;
  const name = stableName(model);
  return {
    'stable-deployment.yaml': stableDeployment(workload, stable),
    ...(several ? { 'stable-disruption-budget.yaml': disruptionBudget(workload, name) } : {}),
    // Who calls the Service keeps the version before; only the way in from outside divides.
    'service.yaml': service(workload, model, selector(model, name)),
    'canary-service.yaml': service(workload, canaryService(model), selector(model)),
  };
}

/** Group, kind and name of every object that an environment may have besides Deployment and Service of the model. */
export function optionalObjects(model: string): { group: string; kind: string; name: string }[] {
  const of = (group: string, kind: string, ...names: string[]) => names.map((name) => ({ group, kind, name }));
  return [
    ...of('', 'ConfigMap', 'fairway-golden', 'fairway-serving', 'fairway-tail-versions'),
    ...of('', 'Service', canaryService(model), 'fairway-metrics', 'fairway-smoke'),
    ...of('apps', 'Deployment', stableName(model), 'fairway-tail'),
    ...of('autoscaling', 'HorizontalPodAutoscaler', model),
    ...of('gateway.networking.k8s.io', 'HTTPRoute', model),
    ...of('monitoring.coreos.com', 'ServiceMonitor', 'fairway-metrics'),
    ...of('networking.k8s.io', 'Ingress', model),
    ...of('networking.k8s.io', 'NetworkPolicy', 'fairway-serving'),
    ...of('policy', 'PodDisruptionBudget', model, stableName(model)),
    ...of('route.openshift.io', 'Route', model),
  ];
}

const FILE = { route: 'route', ingress: 'ingress', gateway: 'http-route' } as const;
