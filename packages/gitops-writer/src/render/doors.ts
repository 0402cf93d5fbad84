import { AGENT_GRPC_PORT, AGENT_PORT } from './agent-container.ts';
import { type Canary, canaryService } from './canary.ts';
import type { Door } from './serving-settings.ts';
import { metadataOf, selector, settingsOf, type Workload } from './workload.ts';

/** The agent forwards all of TensorFlow Serving's REST API; from outside only the models are to be reached, not its metrics. */
const PATH = '/v1/models';
const PORT = 8501;

/**
 * A Service: callers reach the agent, which forwards to TensorFlow Serving. By number: before Kubernetes 1.32 a Service finds no
 * port name of a native sidecar (kubernetes/kubernetes#127958), and would have no endpoints. The injector leads the name there.
 */
export function service(workload: Workload, name: string, chosen: object): object {
  const rest = workload.file.capture.agent === 'injector' ? 'rest' : AGENT_PORT;
  const grpc = {
    name: 'grpc',
    port: 8500,
    protocol: 'TCP',
    targetPort: AGENT_GRPC_PORT,
    appProtocol: 'kubernetes.io/h2c',
  };
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadataOf(workload, name),
    spec: {
      selector: chosen,
      ports: [
        { name: 'http', port: PORT, protocol: 'TCP', targetPort: rest },
        ...(settingsOf(workload).grpc ? [grpc] : []),
      ],
    },
  };
}

/** The Service of the pods that carry the newest version. */
export const modelService = (workload: Workload): object =>
  service(workload, workload.modelVersion.model, selector(workload.modelVersion.model));

/** Services and their shares of the requests in percent. */
type Share = { readonly name: string; readonly weight: number };

/** The way in from outside. TensorFlow Serving's own answer to what takes too long comes before the router's. */
export function doorOf(workload: Workload, door: Door, canary: Canary | undefined): object {
  const { model } = workload.modelVersion;
  const timeout = `${settingsOf(workload).timeoutSeconds + 5}s`;
  if (door.kind === 'ingress') return ingress(workload, door, timeout);
  const shares = sharesOf(model, canary);
  return door.kind === 'route' ? route(workload, door, shares, timeout) : httpRoute(workload, door, shares, timeout);
}

function sharesOf(model: string, canary: Canary | undefined): Share[] {
  if (canary === undefined) return [{ name: model, weight: 100 }];
  const { weight } = canary;
  return [
    { name: model, weight: 100 - weight },
    { name: canaryService(model), weight },
  ];
}

function route(
  workload: Workload,
  { host }: Extract<Door, { kind: 'route' }>,
  [first, ...others]: readonly Share[],
  timeout: string,
): object {
  const to = (share: Share | undefined) => ({ kind: 'Service', ...share });
  return {
    apiVersion: 'route.openshift.io/v1',
    kind: 'Route',
    metadata: metadataOf(workload, workload.modelVersion.model, {
      annotations: {
        'haproxy.router.openshift.io/timeout': timeout,
        // One caller's cookie must not keep it on one side of the weights.
        'haproxy.router.openshift.io/disable_cookies': 'true',
        'haproxy.router.openshift.io/balance': 'roundrobin',
      },
    }),
    spec: {
      ...(host === undefined ? {} : { host }),
      path: PATH,
      port: { targetPort: 'http' },
      // A redirect would come after the applicant's data had crossed the network in the clear.
      tls: { termination: 'edge', insecureEdgeTerminationPolicy: 'None' },
      to: to(first),
      ...(others.length === 0 ? {} : { alternateBackends: others.map(to) }),
      wildcardPolicy: 'None',
    },
  };
}

function ingress(workload: Workload, door: Extract<Door, { kind: 'ingress' }>, timeout: string): object {
  const { model } = workload.modelVersion;
  const seconds = timeout.slice(0, -1);
  const backend = { service: { name: model, port: { name: 'http' } } };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: metadataOf(workload, model, {
      annotations: {
        'nginx.ingress.kubernetes.io/proxy-read-timeout': seconds,
        'nginx.ingress.kubernetes.io/proxy-send-timeout': seconds,
        'nginx.ingress.kubernetes.io/ssl-redirect': 'true',
      },
    }),
    spec: {
      ...(door.class === undefined ? {} : { ingressClassName: door.class }),
      rules: [{ host: door.host, http: { paths: [{ backend, path: PATH, pathType: 'Prefix' }] } }],
      tls: [{ hosts: [door.host], secretName: door.tlsSecret }],
    },
  };
}

function httpRoute(
  workload: Workload,
  { host, name, namespace }: Extract<Door, { kind: 'gateway' }>,
  shares: readonly Share[],
  timeout: string,
): object {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: metadataOf(workload, workload.modelVersion.model),
    spec: {
      hostnames: [host],
      parentRefs: [{ name, ...(namespace === undefined ? {} : { namespace }) }],
      rules: [
        {
          backendRefs: shares.map((share) => ({ ...share, port: PORT })),
          matches: [{ path: { type: 'PathPrefix', value: PATH } }],
          timeouts: { request: timeout },
        },
      ],
    },
  };
}
