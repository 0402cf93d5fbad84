import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { modelsTouched, verifyMlflowWebhook } from './webhook.ts';

const SECRET = 'a secret with umlauts ä';
const ID = '8f1a2b3c-4d5e-6f70-8192-a3b4c5d6e7f8';
const AT = 1_753_950_452;
/** As Python's json.dumps writes it. */
const BODY =
  '{"entity": "model_version_alias", "action": "created", "timestamp": "2025-07-31T08:27:32.080217+00:00", "data": {"name": "home-equity", "alias": "champion", "version": "3"}}';
/** Computed by Python's hmac and base64, as MLflow does. */
const SIGNATURE = 'v1,aUsw2Nb3IMeMfKXIvwR840yqdh3S3CfXixhjEyzUyVw=';

const HEADERS = { 'x-mlflow-delivery-id': ID, 'x-mlflow-timestamp': String(AT), 'x-mlflow-signature': SIGNATURE };
const verify = (
  over: { headers?: Record<string, string | undefined>; body?: string; secrets?: string[]; now?: number } = {},
) =>
  verifyMlflowWebhook({
    headers: { ...HEADERS, ...over.headers },
    body: Buffer.from(over.body ?? BODY),
    secrets: over.secrets ?? [SECRET],
    now: over.now ?? AT * 1_000,
  });
const signed = (body: string) => `v1,${createHmac('sha256', SECRET).update(`${ID}.${AT}.${body}`).digest('base64')}`;

it('takes what MLflow has signed, under the present secret and the one before', () => {
  const event = {
    name: 'model_version_alias.created',
    data: { name: 'home-equity', alias: 'champion', version: '3' },
  };
  expect(verify()).toEqual({ ok: true, deliveryId: ID, event });
  expect(verify({ secrets: ['the new one', SECRET] })).toMatchObject({ ok: true });
  expect(verify({ headers: { 'x-mlflow-signature': `v2,AAAA ${SIGNATURE}` } })).toMatchObject({ ok: true });
});

it.each([
  ['another body', { body: BODY.replace('"3"', '"4"') }],
  ['another delivery', { headers: { 'x-mlflow-delivery-id': 'other' } }],
  ['another time', { headers: { 'x-mlflow-timestamp': String(AT + 1) } }],
  ['another secret', { secrets: ['other'] }],
  ['no secret', { secrets: [] }],
  ['an empty secret', { secrets: [''] }],
  ['a bare signature', { headers: { 'x-mlflow-signature': SIGNATURE.slice(3) } }],
  ['a short signature', { headers: { 'x-mlflow-signature': 'v1,AAAA' } }],
])('refuses the signature with %s', (_what, over) => {
  expect(verify(over)).toEqual({ ok: false, reason: 'its signature is not made with MLFLOW_WEBHOOK_SECRET' });
});

it.each([
  ['x-mlflow-signature', undefined, 'it is not signed'],
  ['x-mlflow-delivery-id', undefined, 'X-MLflow-Delivery-Id'],
  ['x-mlflow-delivery-id', 'a b', 'X-MLflow-Delivery-Id'],
  ['x-mlflow-timestamp', '1e9', 'X-MLflow-Timestamp'],
])('refuses %s %s', (header, value, reason) => {
  expect(verify({ headers: { [header]: value } })).toMatchObject({
    ok: false,
    reason: expect.stringContaining(reason),
  });
});

it('looks at the clock both ways', () => {
  for (const [offS, ok] of [
    [-300, true],
    [300, true],
    [-301, false],
    [301, false],
  ] as const)
    expect(verify({ now: (AT + offS) * 1_000 }).ok).toBe(ok);
});

it.each(['[]', 'no json', '{"entity":"model_version","action":"created"}', '{"entity":1,"action":"x","data":{}}'])(
  'refuses a signed body that is no event: %s',
  (body) => {
    expect(verify({ body, headers: { 'x-mlflow-signature': signed(body) } })).toMatchObject({
      ok: false,
      reason: 'its body is no event of MLflow',
    });
  },
);

it('names the model that an event touches, and none for our own answers and for what is no model', () => {
  const touched = (name: string, data: Record<string, unknown>) => modelsTouched({ name, data });
  expect(touched('model_version.created', { name: 'a', version: '1' })).toEqual(['a']);
  expect(touched('model_version_alias.deleted', { name: 'a', alias: 'champion' })).toEqual(['a']);
  expect(touched('model_version_tag.set', { name: 'a', version: '1', key: 'fairway.target', value: 'BAD' })).toEqual([
    'a',
  ]);
  expect(
    touched('model_version_tag.set', { name: 'a', version: '1', key: 'fairway.prod.outcome', value: 'live' }),
  ).toEqual([]);
  expect(touched('prompt_version.created', { name: 'a' })).toEqual([]);
  expect(touched('model_version.created', { name: 7 })).toEqual([]);
});
