import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { branchesOf, isSigned } from './webhook.ts';

const body = Buffer.from('{"pull_request":{"head":{"ref":"fairway/deploy/m/dev/1"}}}');
const signature = createHmac('sha256', 'secret').update(body).digest('hex');

it('believes only its own signature', () => {
  expect(isSigned(body, signature, 'secret')).toBe(true);
  for (const wrong of [undefined, '', 'x', signature.slice(1), `sha256=${signature}`, signature.replace(/./, '0')]) {
    if (wrong !== signature) expect(isSigned(body, wrong, 'secret')).toBe(false);
  }
  expect(isSigned(Buffer.from('other'), signature, 'secret')).toBe(false);
});

it('reads which branch a delivery is about, and survives anything else', () => {
  expect(branchesOf(body)).toEqual(['fairway/deploy/m/dev/1']);
  expect(branchesOf(Buffer.from('{"ref":"refs/heads/main"}'))).toEqual(['main']);
  for (const other of ['', '{', '[]', 'null', '{"ref":5}']) expect(branchesOf(Buffer.from(other))).toEqual([]);
});
