import { createHmac, timingSafeEqual } from 'node:crypto';

/** Header names lower case. `now` in ms. */
export type MlflowDelivery = {
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** As it came. */
  readonly body: Buffer;
  /** The present one first, the previous one during a rotation. */
  readonly secrets: readonly string[];
  readonly now: number;
};

/** `deliveryId` and `event` are only given for a delivery that is proven; `reason` follows "refused: ". */
export type MlflowDeliveryVerdict =
  | { readonly ok: true; readonly deliveryId: string; readonly event: MlflowEvent }
  | { readonly ok: false; readonly reason: string };

/** `name`: entity and action, e.g. `model_version_alias.created`. */
export type MlflowEvent = { readonly name: string; readonly data: Readonly<Record<string, unknown>> };

const WINDOW_MS = 5 * 60_000;

/**
 * MLflow 3 signs `<delivery id>.<timestamp>.<body>` with HMAC-SHA256 and sends `v1,<base64>`
 * (https://mlflow.org/docs/latest/ml/webhooks). Of several signatures, parted by spaces, one must be good.
 */
export function verifyMlflowWebhook({ headers, body, secrets, now }: MlflowDelivery): MlflowDeliveryVerdict {
  const id = headers['x-mlflow-delivery-id'] ?? '';
  const timestamp = headers['x-mlflow-timestamp'] ?? '';
  const given = headers['x-mlflow-signature'] ?? '';
  if (!/^[\w.-]{1,200}$/.test(id)) return refused('it has no usable X-MLflow-Delivery-Id');
  if (!/^\d{1,12}$/.test(timestamp)) return refused('it has no usable X-MLflow-Timestamp (seconds)');
  if (given === '') return refused('it is not signed; give the webhook in MLflow the secret of MLFLOW_WEBHOOK_SECRET');
  const isSigned = secrets
    .filter((secret) => secret !== '')
    .map((secret) => createHmac('sha256', secret).update(`${id}.${timestamp}.`).update(body).digest())
    .some((wanted) => signaturesIn(given).some((signature) => timingSafeEqual(wanted, signature)));
  if (!isSigned) return refused('its signature is not made with MLFLOW_WEBHOOK_SECRET');
  if (Math.abs(now - Number(timestamp) * 1_000) > WINDOW_MS) {
    return refused('it is more than 5 minutes off; set the clocks of MLflow and of this machine');
  }
  const event = eventOf(body);
  return event === undefined ? refused('its body is no event of MLflow') : { ok: true, deliveryId: id, event };
}

const refused = (reason: string) => ({ ok: false as const, reason });

/** Those of version 1 that have the length of a sha256. */
function signaturesIn(header: string): Buffer[] {
  return header
    .split(' ')
    .filter((one) => one.startsWith('v1,'))
    .slice(0, 5)
    .map((one) => Buffer.from(one.slice('v1,'.length), 'base64'))
    .filter((bytes) => bytes.length === 32);
}

function eventOf(body: Buffer): MlflowEvent | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    if (!isObject(value)) return undefined;
    const { entity, action, data } = value;
    if (typeof entity !== 'string' || typeof action !== 'string' || !isObject(data)) return undefined;
    return { name: `${entity}.${action}`, data };
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const TOUCHING = ['registered_model', 'model_version', 'model_version_alias', 'model_version_tag'];
/** Our own answers are tags as well, `fairway.<environment>.<what>`: they would call us back six times each. */
const OWN_ANSWER = /^fairway\.[^.]+\./;

/** Names of the registered models that an event may have changed for us: worth another look, and no more believed than that. */
export function modelsTouched({ name: event, data }: MlflowEvent): string[] {
  const { name, key } = data;
  const [entity = ''] = event.split('.');
  if (!TOUCHING.includes(entity) || typeof name !== 'string' || name === '' || name.length > 300) return [];
  const isNoise = entity === 'model_version_tag' && typeof key === 'string' && OWN_ANSWER.test(key);
  return isNoise ? [] : [name];
}
