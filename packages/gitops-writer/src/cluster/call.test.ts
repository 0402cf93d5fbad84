import { expect, it } from 'vitest';
import { get, inTime, whyNot } from './call.ts';

const MESSAGE = 'HTTP-Code: 500\nMessage: internal\nHeaders: {"authorization":"Bearer abc"}';

it.each([
  [{ code: 401, message: MESSAGE }, /^The Kubernetes API does not know the writer \(401\): .*restart the pod/],
  [{ statusCode: 401, message: MESSAGE }, /^The Kubernetes API does not know the writer \(401\)/],
  [
    { code: 403, message: MESSAGE },
    /\(403\); give its service account get, list, watch and patch on Applications, .*doctor/,
  ],
  [{ code: 404, message: MESSAGE }, /does not serve this kind \(404\): is Argo CD installed in this cluster/],
  [{ code: 'CERT_HAS_EXPIRED', message: 'x' }, /is not reached: its certificate has expired: renew/],
  [{ message: 'x', cause: { code: 'ECONNREFUSED' } }, /is not reached: nothing listens there: is the cluster up/],
  [{ code: 500, message: MESSAGE }, /^The Kubernetes API does not answer: HTTP-Code: 500$/],
])('an answer that is none is told in a sentence, with the mend where one is known: %j', (error, words) => {
  const told = whyNot(error);
  expect(told).toMatch(words);
  expect(told).not.toMatch(/Bearer|\n/);
});

it('only what is not there is nothing; all else is an error that is tried again', async () => {
  const failing = (code: number) => () => Promise.reject(Object.assign(new Error('x'), { code }));
  expect(await get(failing(404))).toBeUndefined();
  await expect(get(failing(403))).rejects.toMatchObject({ code: 'cluster.unavailable', disposition: 'retryable' });
});

it('a server that says nothing does not hold a turn', async () => {
  await expect(inTime(() => new Promise(() => {}), 20)).rejects.toThrow('no answer within 20 ms');
});
