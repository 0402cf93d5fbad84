import { X509Certificate } from 'node:crypto';
import type { Item, Looker } from './cluster.ts';
import { type Finding, missing, ok, warning } from './finding.ts';

const PATH = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
/** The webhook's name inside its configuration, whatever an overlay calls that. */
const WEBHOOK = 'inject.fairway.dev';
const SOON_MS = 14 * 86_400_000;

type Webhook = {
  readonly name: string;
  readonly clientConfig?: {
    readonly caBundle?: string;
    readonly url?: string;
    readonly service?: { readonly namespace: string; readonly name: string };
  };
};

/** Whether the injector is asked about pods, and whether the API server can trust its answers. */
export async function webhookFindings(looker: Looker, now: number): Promise<Finding[]> {
  const name = 'webhook';
  const seen = await looker.list(PATH);
  if (!('found' in seen)) return 'refused' in seen ? [warning(name, `cannot be looked at: ${seen.refused}`)] : [];
  const all = seen.found.flatMap((object) => webhooksOf(object).map((webhook) => ({ object, webhook })));
  const ours = all.filter(({ webhook }) => webhook.name === WEBHOOK);
  if (ours.length === 0)
    return [warning(name, 'is not registered: the injector is not installed, or its configuration was not applied')];
  const several =
    ours.length === 1
      ? []
      : [
          missing(
            name,
            `${ours.map(({ object }) => object.metadata.name).join(' and ')} both ask an injector: remove one of them`,
          ),
        ];
  const each = await Promise.all(
    ours.map(({ object, webhook }) => oneFinding(looker, object.metadata.name, webhook, now)),
  );
  return [...several, ...each.flat()];
}

const webhooksOf = (object: Item): Webhook[] => (object['webhooks'] ?? []) as Webhook[];

async function oneFinding(
  looker: Looker,
  name: string,
  { clientConfig = {} }: Webhook,
  now: number,
): Promise<Finding[]> {
  const { caBundle = '', service } = clientConfig;
  const authority = bundleFinding(`webhook ${name}`, Buffer.from(caBundle, 'base64').toString('utf8'), now);
  if (service === undefined) return [authority];
  const seen = await looker.exists(`/api/v1/namespaces/${service.namespace}/services/${service.name}`);
  const called =
    'absent' in seen
      ? [missing(`webhook ${name}`, `asks Service ${service.namespace}/${service.name}, which is not there`)]
      : [];
  return [authority, ...called];
}

const ASKED = 'fairway.dev/inject';
/** What the injector leaves on a pod that it has given an agent. */
const GIVEN = 'fairway.dev/status';
const NAMED = 5;

/** Pods that asked the injector for an agent and run without: they were made while none answered, or ask for something wrong. */
export async function unarmedFindings(looker: Looker): Promise<Finding[]> {
  const name = 'agents';
  const seen = await looker.list(`/api/v1/pods?labelSelector=${encodeURIComponent(`${ASKED}=true`)}`);
  if ('refused' in seen) return [warning(name, `pods that ask for an agent cannot be looked at: ${seen.refused}`)];
  const asking = ('found' in seen ? seen.found : []).filter(
    ({ metadata, status }) =>
      metadata.annotations?.[ASKED] !== 'false' && !['Succeeded', 'Failed'].includes(String(status?.['phase'])),
  );
  if (asking.length === 0) return [];
  const without = asking.filter(({ metadata }) => metadata.annotations?.[GIVEN] === undefined);
  if (without.length === 0) return [ok(name, `${asking.length} pods asked for an agent and have it`)];
  const named = without.slice(0, NAMED).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
  const more = without.length > NAMED ? ` and ${without.length - NAMED} more` : '';
  return [
    missing(
      name,
      `${without.length} of ${asking.length} pods that asked for an agent run without, so their predictions are not captured: ${named.join(', ')}${more}. "fairway inject -f" says what is wrong with their manifest; nothing wrong there: kubectl rollout restart their workloads`,
    ),
  ];
}

/** What a caBundle (PEM) is worth at `now`, in ms since 1970. */
export function bundleFinding(name: string, pem: string, now: number): Finding {
  const parts = pem.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? [];
  if (parts.length === 0)
    return missing(
      name,
      'has no caBundle, so that pods start without their agent: let service-ca or cert-manager fill it in, or put the authority there yourself',
    );
  let certificates: X509Certificate[];
  try {
    certificates = parts.map((part) => new X509Certificate(part));
  } catch {
    return missing(name, 'has a caBundle that is no certificate: put the authority of the injector there as PEM');
  }
  const good = certificates.filter(
    ({ validFrom, validTo }) => Date.parse(validFrom) <= now && now < Date.parse(validTo),
  );
  const last = Math.max(...certificates.map(({ validTo }) => Date.parse(validTo)));
  const day = new Date(last).toISOString().slice(0, 10);
  if (good.length === 0)
    return last <= now
      ? missing(name, `trusts an authority that has expired (${day}), so that pods start without their agent: renew it`)
      : missing(name, 'trusts an authority that is not valid yet: compare the clocks');
  if (last - now < SOON_MS) return warning(name, `trusts an authority that expires on ${day}: renew it now`);
  return ok(name, `trusts an authority until ${day}`);
}
