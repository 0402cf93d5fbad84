import { expect, it } from 'vitest';
import { imageName } from '../names.ts';
import type { Credential } from './credentials.ts';
import { tokens } from './tokens.ts';

const at = imageName('registry.example.com/models/m');
const PASSWORD: Credential = { kind: 'basic', user: 'writer', password: 'p:w' };

function secure(credential: Credential | undefined) {
  const credentials = () => Promise.resolve(credential);
  return tokens({ host: at.host, isSecure: true, credentials, clock: { now: () => 0 }, setting: 'IMAGE_REPOSITORY' });
}
const asks = (challenge: string) => ({ headers: { 'www-authenticate': challenge } });

it('sends no password to a token server without TLS, which a registry with TLS names', async () => {
  const asked = secure(PASSWORD).renewed({ at }, asks('Bearer realm="http://auth.example.com/token"'), undefined);
  await expect(asked).rejects.toThrow(
    /names the token server http:\/\/auth\.example\.com, where a password would travel unprotected/,
  );
});

it.each(['Bearer', 'Bearer realm="file:///token"', 'Bearer realm="no url"'])(
  'says when %j names no token server',
  async (challenge) => {
    await expect(secure(PASSWORD).renewed({ at }, asks(challenge), undefined)).rejects.toThrow('names no token server');
  },
);

it('shows what it has, only when it is asked, and not the same again', async () => {
  const proofs = secure(PASSWORD);
  expect(await proofs.header({ at })).toBeUndefined();
  const basic = `Basic ${Buffer.from('writer:p:w').toString('base64')}`;
  expect(await proofs.renewed({ at }, asks('Basic realm=x'), undefined)).toBe(basic);
  expect(await proofs.header({ at })).toBe(basic);
  expect(await proofs.renewed({ at }, asks('Basic realm=x'), basic)).toBeUndefined();
  expect(proofs.secrets()).toEqual(['p:w']);
  expect(
    await secure({ kind: 'bearer', token: 't' }).renewed({ at }, asks('Bearer realm="https://x/t"'), undefined),
  ).toBe('Bearer t');
  expect(await secure(undefined).renewed({ at }, asks('Negotiate'), undefined)).toBeUndefined();
});
