import type { HookDoor } from './http/context.ts';
import { type MlflowEvent, modelsTouched, verifyMlflowWebhook } from './sources/mlflow/webhook.ts';

/** Believes a webhook of MLflow what its signature proves; undefined without a secret. */
export function mlflowHooks(secrets: readonly string[]): HookDoor['mlflow'] {
  if (secrets.length === 0) return undefined;
  return ({ headers, body, now }) => {
    const verdict = verifyMlflowWebhook({ headers, body, secrets, now });
    if (!verdict.ok) return { kind: 'refused', reason: verdict.reason };
    const { deliveryId: id, event } = verdict;
    const [name] = modelsTouched(event);
    if (name === undefined) return { kind: 'noise' };
    return { kind: 'hint', id, claim: { type: event.name, names: namesOf(name, event) } };
  };
}

const MOST = 300;

/** Only an alias that was given claims a champion; anything else says that a model has changed. */
function namesOf(name: string, { name: event, data: { alias, version } }: MlflowEvent): Record<string, string> {
  if (event !== 'model_version_alias.created') return { name };
  return {
    name,
    ...(isText(alias) ? { alias } : {}),
    ...(isText(version) ? { version } : {}),
  };
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '' && value.length <= MOST;
