import { isDeepStrictEqual } from 'node:util';
import type { User } from '../api/users.ts';
import { MUTATING_WEBHOOKS, NAMESPACE } from '../kinds.ts';
import type { Dict, KubeObject } from '../objects.ts';
import { denial, refusal } from '../refusal.ts';
import { withDefaults } from '../store/defaults.ts';
import { jsonPatch } from '../store/json-patch.ts';
import type { Registry } from '../store/registry.ts';
import type { Webhook } from './configuration.ts';
import { type AdmissionRequest, isAsked, isExempt, ruled } from './matching.ts';
import { doorOf, post } from './post.ts';
import { reviewOf, verdictOf, type Verdict } from './review.ts';

/** On whose behalf something is written, and who hears what webhooks warn of. */
export type Asker = { readonly user: User; readonly warn: (text: string) => void };

export type Chain = {
  /** Whether any webhook might be asked about such a request. */
  concerns(request: Omit<AdmissionRequest, 'name' | 'dryRun'>): boolean;
  /** Asks one webhook after the other. Answers the object as they have left it, or refuses. */
  admit(request: AdmissionRequest, asker: Asker): Promise<KubeObject | undefined>;
};

const DEFAULT_TIMEOUT_S = 10;

/** The mutating webhooks of a cluster, in the order of their configurations' names. */
export function webhookChain(registry: Pick<Registry, 'get' | 'list'>): Chain {
  const configured = (): Webhook[] =>
    registry
      .list(MUTATING_WEBHOOKS)
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
      .flatMap(({ webhooks = [] }) => webhooks);
  return {
    concerns: (request) => !isExempt(request.kind) && configured().some((webhook) => ruled(webhook, request)),
    async admit(request, asker) {
      const webhooks = isExempt(request.kind) ? [] : configured();
      const first = await pass(registry, webhooks, request, asker);
      // Who ran before somebody else changed the object and wants to know, looks once more; a third time is not promised.
      if (first.again.length === 0) return first.object;
      return (await pass(registry, first.again, withObject(request, first.object), asker)).object;
    },
  };
}

const withObject = (request: AdmissionRequest, object: KubeObject | undefined): AdmissionRequest => ({
  ...request,
  ...(object === undefined ? {} : { object }),
});

/** One go through the webhooks. `again`: those that a later one's change concerns. */
async function pass(
  registry: Pick<Registry, 'get'>,
  webhooks: readonly Webhook[],
  request: AdmissionRequest,
  asker: Asker,
): Promise<{ readonly object: KubeObject | undefined; readonly again: readonly Webhook[] }> {
  let { object } = request;
  let before: Webhook[] = [];
  const again: Webhook[] = [];
  for (const webhook of webhooks) {
    const now = withObject(request, object);
    if (!isAsked(webhook, now, labelsAround(registry, now))) continue;
    const verdict = await heard(registry, webhook, now, asker);
    const changed = verdict?.patch === undefined || object === undefined ? object : patched(webhook, now, verdict);
    if (!isDeepStrictEqual(changed, object)) {
      again.push(...before);
      before = [];
    }
    object = changed;
    if (webhook.reinvocationPolicy === 'IfNeeded') before.push(webhook);
  }
  return { object, again };
}

/** The labels that a namespace selector looks at: of the namespace around an object, or of the namespace that it is. */
function labelsAround(registry: Pick<Registry, 'get'>, { kind, namespace, object, old }: AdmissionRequest): Dict {
  const around = kind.kind === NAMESPACE.kind && kind.group === '' ? (object ?? old) : undefined;
  return (around ?? registry.get(NAMESPACE, '', namespace))?.metadata.labels ?? {};
}

/** What the webhook says; undefined when it could not be asked and that may be. Throws what it refuses. */
async function heard(
  registry: Pick<Registry, 'get'>,
  webhook: Webhook,
  request: AdmissionRequest,
  { user, warn }: Asker,
): Promise<Verdict | undefined> {
  const verdict = await called(registry, webhook, request, user).catch((error: Error) => {
    if (webhook.failurePolicy === 'Ignore') return undefined;
    const why = `failed calling webhook "${webhook.name}": failed to call webhook: ${error.message}`;
    throw refusal('InternalError', `Internal error occurred: ${why}`);
  });
  for (const warning of verdict?.warnings ?? []) warn(warning);
  if (verdict?.allowed === false) throw denied(webhook.name, verdict);
  return verdict;
}

async function called(
  registry: Pick<Registry, 'get'>,
  { clientConfig, timeoutSeconds = DEFAULT_TIMEOUT_S }: Webhook,
  request: AdmissionRequest,
  user: User,
): Promise<Verdict> {
  const { uid, body } = reviewOf(request, user);
  const door = doorOf(registry, clientConfig, timeoutSeconds);
  const ca = clientConfig.caBundle ? { ca: Buffer.from(clientConfig.caBundle, 'base64') } : {};
  const answer = await post(door, body, { ...ca, timeoutMs: timeoutSeconds * 1000 }).catch((error: Error) => {
    throw new Error(`Post "${door.shown}": ${error.message}`);
  });
  return verdictOf(answer, uid);
}

/** The object after a webhook's patch. A patch that cannot be applied is refused whatever the failure policy says. */
function patched({ name }: Webhook, { kind, object }: AdmissionRequest, { patch }: Verdict): KubeObject {
  try {
    return withDefaults(kind, jsonPatch(object, patch) as KubeObject);
  } catch (error) {
    throw refusal('InternalError', `Internal error occurred: webhook "${name}": ${(error as Error).message}`);
  }
}

function denied(name: string, { status: { code = 0, reason, message } }: Verdict): Error {
  const why = message || reason;
  const by = `admission webhook "${name}" denied the request`;
  return denial(Math.max(400, code), `${by}${why ? `: ${why}` : ' without explanation'}`);
}
