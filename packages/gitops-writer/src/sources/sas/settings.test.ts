import { readEnv } from '@fairway/core';
import { expect, it } from 'vitest';
import { SAS_ENV, sasSettings } from './settings.ts';

const read = (env: NodeJS.ProcessEnv) => sasSettings(readEnv(env, SAS_ENV));
const URL = { SAS_URL: 'https://viya.example.com/' };

it('is not there without an address, and needs nothing then', () => {
  expect(read({})).toBeUndefined();
  expect(read({ SAS_GRANT: 'password' })).toBeUndefined();
});

it.each([
  [
    { SAS_CLIENT_ID: 'fairway', SAS_CLIENT_SECRET: 's' },
    { form: { grant_type: 'client_credentials' }, client: { id: 'fairway', secret: 's' } },
  ],
  [
    { SAS_GRANT: 'password', SAS_USERNAME: 'u', SAS_PASSWORD: 'p' },
    { form: { grant_type: 'password', username: 'u', password: 'p' }, client: { id: 'sas.ec', secret: '' } },
  ],
  [
    { SAS_GRANT: 'refresh_token', SAS_CLIENT_ID: 'fairway', SAS_REFRESH_TOKEN: 'r' },
    { form: { grant_type: 'refresh_token', refresh_token: 'r' }, client: { id: 'fairway', secret: '' } },
  ],
])('logs on by the grant (%o)', (env, logon) => {
  expect(read({ ...URL, ...env })).toEqual({
    url: 'https://viya.example.com',
    logon,
    caFile: undefined,
    message: 'fairway',
  });
});

it.each([
  [{}, 'SAS_URL is set, and SAS_CLIENT_ID and SAS_CLIENT_SECRET are not: SAS_GRANT client_credentials needs'],
  [{ SAS_CLIENT_ID: 'fairway' }, 'SAS_URL is set, and SAS_CLIENT_SECRET is not'],
  [{ SAS_GRANT: 'password', SAS_USERNAME: 'u' }, 'SAS_URL is set, and SAS_PASSWORD is not: SAS_GRANT password needs'],
  [{ SAS_GRANT: 'saml' }, 'SAS_GRANT must be one of client_credentials, password, refresh_token'],
  [{ SAS_URL: 'https://viya.example.com/SASLogon' }, 'SAS_URL must be an address such as'],
  [{ SAS_URL: 'https://u:p4ss@viya.example.com' }, 'without path, user and password'],
  [
    { SAS_CLIENT_ID: 'a', SAS_CLIENT_SECRET: 'b', SAS_CA_FILE: '/nowhere/ca.pem' },
    'SAS_CA_FILE names a file that cannot',
  ],
])('says what is missing or wrong (%o)', (env, sentence) => {
  const asked = () => read({ ...URL, ...env });
  expect(asked).toThrow(sentence);
  expect(asked).not.toThrow('p4ss');
});
