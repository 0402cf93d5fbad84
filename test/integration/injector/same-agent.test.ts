import { describe, expect, it } from 'vitest';
import type { CaptureSettings } from '../../../packages/gitops-writer/src/render/capture-settings.ts';
import { deployment } from '../../../packages/gitops-writer/src/render/deployment.ts';
import { servingIn } from '../../../packages/gitops-writer/src/render/serving-settings.ts';
import type { Workload } from '../../../packages/gitops-writer/src/render/workload.ts';
import { inject } from '../../../packages/log-sidecar/src/injector/inject.ts';
import type { Container, Pod } from '../../../packages/log-sidecar/src/injector/pod.ts';

const image = `fairway/agent@sha256:${'c'.repeat(64)}`;

type Agent = Container & {
  readonly env: readonly { readonly name: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly securityContext: object;
  readonly [field: string]: unknown;
};
type Template = { metadata: { labels: object; annotations: object }; spec: Pod['spec'] };

function rendered(capture: Partial<CaptureSettings>, serving: object): Pod {
  const workload = {
    change: '0123456789abcdef0123',
    modelVersion: { model: 'home-equity', version: '2', digest: `sha256:${'a'.repeat(64)}` },
    environment: { name: 'prod', namespace: 'home-equity-prod' },
    file: {
      serving: { prod: servingIn(serving) },
      capture: { agent: 'sidecar', trustEventTime: false, ...capture },
    },
    image: `models/home-equity@sha256:${'2'.repeat(64)}`,
    agentImage: image,
  } as unknown as Workload;
  return (deployment(workload) as { spec: { template: Template } }).spec.template as Pod;
}

const injected = (pod: Pod, minor = 33) =>
  inject(pod, {
    template: { image, queueSecret: 'fairway-queue' },
    minor,
    sidecar: 'auto',
    namespace: 'home-equity-prod',
  });

const agentIn = ({ spec }: Pod): Agent =>
  [...(spec.initContainers ?? []), ...spec.containers].find(({ name }) => name === 'agent') as Agent;

/** Numbers in the place of names, as the kubelet resolves them. */
function numbered(agent: Agent): Agent {
  const numbers = new Map(agent.ports.map(({ name, containerPort }) => [name, containerPort]));
  return JSON.parse(
    JSON.stringify(agent, (key, value: unknown) => (key === 'port' ? (numbers.get(value as string) ?? value) : value)),
  ) as Agent;
}

/**
 * The agent without what the two differ in on purpose:
 * - ports: a declared port is information. The injector leaves 9001 to the entry `rest` of the model's container, which leads there
 *   (two entries of one number are a warning), and does not know what the Service calls the gRPC port.
 * - securityContext: the writer says `runAsNonRoot` and the seccomp profile once for its pod; a foreign pod may not say them.
 * - GRPC_UPSTREAM: the injector leaves out what is the agent's own default; the writer spells it out.
 */
function comparable(agent: Agent): object {
  const { ports: _, securityContext: __, env, ...rest } = numbered(agent);
  return { ...rest, env: env.filter(({ name }) => name !== 'GRPC_UPSTREAM') };
}

const CASES: Record<string, readonly [capture: Partial<CaptureSettings>, serving: object]> = {
  'nothing said': [{}, {}],
  'everything said': [
    { trustEventTime: true, sampling: 0.5, bodyBytes: 4096, redact: { ssn: 'hash', zip: 'truncate:3' } },
    { grpc: true },
  ],
  'redaction without a key': [{ redact: { ssn: 'drop' } }, {}],
};

describe.each(Object.entries(CASES))('the agent, with %s in model.yaml', (_, [capture, serving]) => {
  const own = rendered(capture, serving);
  const asking = rendered({ ...capture, agent: 'injector' }, serving);
  const { outcome, pod: foreign, warnings } = injected(asking);

  it('is the same from the writer and from the injector, but for what is named here', () => {
    expect(asking.spec.initContainers).toBeUndefined();
    expect(outcome).toBe('injected');
    expect(warnings).toEqual([expect.stringContaining("must target this pod's port by its name")]);
    expect(comparable(agentIn(foreign))).toEqual(comparable(agentIn(own)));
    expect(foreign.spec.volumes).toEqual(own.spec.volumes);
  });

  it('differs in the named fields as it says, and in the pod comes to the same', () => {
    const [ours, theirs] = [agentIn(own), agentIn(foreign)];
    const pod = own.spec as Pod['spec'] & { securityContext: object };
    expect({ ...pod.securityContext, ...ours.securityContext }).toEqual(theirs.securityContext);
    const numbers = (agent: Agent) => agent.ports.map(({ containerPort }) => containerPort);
    const rest = foreign.spec.containers.flatMap(({ ports }) => ports ?? []).find(({ name }) => name === 'rest');
    expect(numbers(theirs)).toEqual([9090]);
    expect(rest?.containerPort).toBe(9001);
    expect(numbers(ours)).toEqual('grpc' in serving ? [9001, 9002, 9090] : [9001, 9090]);
    const said = ({ env }: Agent) => env.find(({ name }) => name === 'GRPC_UPSTREAM');
    expect(said(theirs)).toBeUndefined();
    expect(said(ours)).toEqual('grpc' in serving ? { name: 'GRPC_UPSTREAM', value: '127.0.0.1:8500' } : undefined);
  });

  it('before Kubernetes 1.29 is a plain container, and nothing else is different', () => {
    const { restartPolicy, ...native } = agentIn(foreign);
    expect(restartPolicy).toBe('Always');
    const old = injected(asking, 28).pod;
    expect(old.spec.initContainers).toBeUndefined();
    expect(agentIn(old)).toEqual(native);
  });

  it('is left alone where the writer has put it, and brought again where it was lost', () => {
    const labels = { ...own.metadata?.labels, 'fairway.dev/inject': 'true' };
    const pod = { ...own, metadata: { ...own.metadata, labels } };
    expect(injected(pod)).toEqual({ outcome: 'present', pod, warnings: [] });
    const { outcome: again } = injected({ ...pod, spec: { ...pod.spec, initContainers: [], volumes: [] } });
    expect(again).toBe('injected');
  });
});
