import { expect, test } from 'vitest';
import { signMessage } from './signed-message.ts';

test("the signature is openssl's", () => {
  // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac 'a secret of some length'
  expect(signMessage('a secret of some length', '1700000000', '{"a":1}')).toBe(
    'v1=e09db3ce6e6e8f9b633a62851e5074a9e9148ac19b1c0e1a8f7c352380be630b',
  );
});
