import { isDeepStrictEqual } from 'node:util';
import { type Kind, kindKey, MUTATING_WEBHOOKS, qualified } from '../kinds.ts';
import { type Dict, isRecord, type KubeObject } from '../objects.ts';
import { refusal } from '../refusal.ts';
import type { Container, Deployment, Job, PodSpec, Service } from '../workloads.ts';
import { selects } from './selectors.ts';
import { checkWebhooks } from './validate-webhooks.ts';

/** One wrong field, in the API's words. */
type Cause = { readonly field: string; readonly message: string };

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;

/** Refuses with 422 and all causes what a real API server would refuse of the fields that we use. */
export function validate(kind: Kind, object: KubeObject, previous: KubeObject | undefined): void {
  const causes = [...checkMetadata(kind, object), ...(CHECKS[kindKey(kind)]?.(object, previous) ?? [])];
  if (causes.length === 0) return;
  const name = object.metadata.name;
  const said = causes.map(({ field, message }) => `${field}: ${message}`);
  throw refusal(
    'Invalid',
    `${object.kind}.${kind.group} "${name}" is invalid: ${said.length === 1 ? said[0] : `[${said.join(', ')}]`}`,
    {
      name,
      group: kind.group,
      kind: object.kind,
      causes: causes.map(({ field, message }) => ({ reason: 'FieldValueInvalid', message, field })),
    },
  );
}

const CHECKS: Readonly<Record<string, (object: KubeObject, previous: KubeObject | undefined) => Cause[]>> = {
  '/Pod': (pod) => checkPodSpec('spec', pod['spec'] as Partial<PodSpec>),
  '/Service': (service) => checkService(service as Service),
  'apps/Deployment': (deployment, previous) =>
    checkDeployment(deployment as Deployment, previous as Deployment | undefined),
  'apps/ReplicaSet': (set) => checkTemplate(set as Deployment),
  'batch/Job': (job, previous) => checkJob(job as Job, previous as Job | undefined),
  [kindKey(MUTATING_WEBHOOKS)]: (configuration) => checkWebhooks(configuration),
};

function checkMetadata(kind: Kind, { metadata }: KubeObject): Cause[] {
  const causes: Cause[] = [];
  const strict = kindKey(kind) === '/Namespace' || kindKey(kind) === '/Service';
  if (!(strict ? LABEL : SUBDOMAIN).test(metadata.name) || metadata.name.length > 253) {
    causes.push({
      field: 'metadata.name',
      message: `Invalid value: "${metadata.name}": a lowercase RFC 1123 ${strict ? 'label' : 'subdomain'} must consist of lower case alphanumeric characters, '-'${strict ? '' : " or '.'"}, and must start and end with an alphanumeric character`,
    });
  }
  return [
    ...causes,
    ...checkDict('metadata.labels', metadata.labels),
    ...checkDict('metadata.annotations', metadata.annotations, true),
  ];
}

function checkDict(field: string, dict: Dict | undefined, anyValue = false): Cause[] {
  if (dict === undefined) return [];
  if (!isRecord(dict)) return [{ field, message: 'Invalid value: must be a map of strings' }];
  return Object.entries(dict)
    .filter(([, value]) => typeof value !== 'string' || (!anyValue && (value.length > 63 || !LABEL_VALUE.test(value))))
    .map(([key, value]) => ({
      field: `${field}.${key}`,
      message: `Invalid value: ${JSON.stringify(value)}: must be a ${anyValue ? 'string' : 'label value of at most 63 characters'}`,
    }));
}

function checkPodSpec(field: string, spec: Partial<PodSpec> | undefined): Cause[] {
  const containers = spec?.containers ?? [];
  if (!Array.isArray(containers) || containers.length === 0)
    return [{ field: `${field}.containers`, message: 'Required value' }];
  const volumes = new Set((spec?.volumes ?? []).map(({ name }) => name));
  return [
    ...named(`${field}.initContainers`, spec?.initContainers ?? []),
    ...named(`${field}.containers`, containers),
  ].flatMap(({ at, container }) => checkContainer(at, container, volumes));
}

const named = (field: string, containers: readonly Container[]) =>
  containers.map((container, i) => ({ at: `${field}[${i}]`, container }));

function checkContainer(at: string, container: Container, volumes: ReadonlySet<string>): Cause[] {
  const causes: Cause[] = [];
  if (!LABEL.test(container.name ?? ''))
    causes.push({ field: `${at}.name`, message: `Invalid value: ${JSON.stringify(container.name)}` });
  if (!container.image) causes.push({ field: `${at}.image`, message: 'Required value' });
  for (const [i, mount] of (container.volumeMounts ?? []).entries()) {
    if (!volumes.has(mount.name))
      causes.push({ field: `${at}.volumeMounts[${i}].name`, message: `Not found: "${mount.name}"` });
  }
  for (const [i, { name }] of (container.env ?? []).entries()) {
    if (!name) causes.push({ field: `${at}.env[${i}].name`, message: 'Required value' });
  }
  return causes;
}

function checkTemplate({ spec }: Deployment): Cause[] {
  if (!spec?.selector) return [{ field: 'spec.selector', message: 'Required value' }];
  const labels = spec.template?.metadata?.labels ?? {};
  const causes = checkPodSpec('spec.template.spec', spec.template?.spec);
  if (!selects(spec.selector, labels)) {
    const message = `Invalid value: ${JSON.stringify(labels)}: \`selector\` does not match template \`labels\``;
    causes.push({ field: 'spec.template.metadata.labels', message });
  }
  return causes;
}

function checkDeployment(deployment: Deployment, previous: Deployment | undefined): Cause[] {
  const causes = checkTemplate(deployment);
  if (previous && !isDeepStrictEqual(previous.spec.selector, deployment.spec.selector)) {
    causes.push({ field: 'spec.selector', message: 'Invalid value: field is immutable' });
  }
  return causes;
}

function checkJob(job: Job, previous: Job | undefined): Cause[] {
  const causes = checkPodSpec('spec.template.spec', job.spec?.template?.spec);
  const policy = job.spec?.template?.spec?.restartPolicy;
  if (policy !== 'Never' && policy !== 'OnFailure') {
    const message = `Required value: valid values: "OnFailure", "Never"`;
    causes.push({ field: 'spec.template.spec.restartPolicy', message });
  }
  if (previous && !isDeepStrictEqual(previous.spec.template, job.spec.template)) {
    causes.push({ field: 'spec.template', message: 'Invalid value: field is immutable' });
  }
  return causes;
}

function checkService({ spec }: Service): Cause[] {
  if (!spec?.ports?.length) return [{ field: 'spec.ports', message: 'Required value' }];
  return spec.ports.flatMap(({ port, name }, i) => {
    const causes: Cause[] = [];
    if (!(Number.isInteger(port) && port >= 1 && port <= 65_535))
      causes.push({
        field: `spec.ports[${i}].port`,
        message: `Invalid value: ${port}: must be between 1 and 65535, inclusive`,
      });
    if (!name && (spec.ports?.length ?? 0) > 1)
      causes.push({ field: `spec.ports[${i}].name`, message: 'Required value' });
    return causes;
  });
}

/** Throws 404 in the API's words. */
export function notFound(kind: Kind, name: string): never {
  throw refusal('NotFound', `${qualified(kind)} "${name}" not found`, { name, group: kind.group, kind: kind.plural });
}
