import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Clock, FairwayError } from '@fairway/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadIdentity } from '../../../packages/cli/src/stack/kube/api/certificate.ts';
import { type SasServer, sasServer } from '../../../packages/gitops-writer/src/sources/sas/client.ts';
import { collect } from '../../../packages/gitops-writer/src/sources/sas/paging.ts';
import { sasSettings } from '../../../packages/gitops-writer/src/sources/sas/settings.ts';
import { projectSchema } from '../../../packages/gitops-writer/src/sources/sas/wire.ts';
import { type FakeSasServer, startFakeSas } from '../../harness/sas/server.ts';
import { addProject } from '../../harness/sas/state.ts';

const PATH = '/modelRepository/projects';

let sas: FakeSasServer;
let now = Date.parse('2026-03-01T12:00:00Z');
const clock: Clock = { now: () => now };
const servers: SasServer[] = [];
beforeEach(async () => {
  sas = await startFakeSas('2023.10');
  addProject(sas.state, 'Home Equity');
});
afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  await sas.stop();
});

const common = { SAS_CA_FILE: undefined, SAS_MESSAGE: 'fairway', SAS_USERNAME: undefined, SAS_PASSWORD: undefined };
function connect(more: Partial<Parameters<typeof sasSettings>[0]> = {}): SasServer {
  const { id, secret } = sas.logon.client;
  const settings = sasSettings({
    ...common,
    SAS_URL: sas.url,
    SAS_GRANT: 'client_credentials',
    SAS_CLIENT_ID: id,
    SAS_CLIENT_SECRET: secret,
    SAS_REFRESH_TOKEN: undefined,
    ...more,
  });
  if (settings === undefined) throw new Error('no settings');
  const server = sasServer({ ...settings, clock });
  servers.push(server);
  return server;
}
const ask = (server: SasServer) => collect(server, { path: PATH, item: projectSchema, what: 'to list projects' });
const failure = async (asked: Promise<unknown>): Promise<FairwayError> =>
  asked.then(
    () => expect.fail('it was answered'),
    (error: FairwayError) => error,
  );

describe('grants', () => {
  it('go as a form, and nothing of them into the address', async () => {
    await ask(connect());
    await ask(connect({ SAS_GRANT: 'password', SAS_CLIENT_ID: undefined, SAS_CLIENT_SECRET: undefined, ...user() }));
    await ask(connect({ SAS_GRANT: 'refresh_token', SAS_REFRESH_TOKEN: sas.logon.refreshToken }));
    expect(sas.logon.asked.map(({ form }) => Object.fromEntries(form))).toEqual([
      { grant_type: 'client_credentials' },
      { grant_type: 'password', username: 'robot', password: 'user-p4ssword' },
      { grant_type: 'refresh_token', refresh_token: 'refresh-0000' },
    ]);
    for (const { url } of sas.logon.asked) expect(new URL(url).search).toBe('');
    expect(sas.seen.map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  it('keep the refresh token that is given instead of a used one', async () => {
    sas.logon.rotates = true;
    sas.logon.expiresIn = 100;
    const server = connect({ SAS_GRANT: 'refresh_token', SAS_REFRESH_TOKEN: 'refresh-0000' });
    await ask(server);
    now += 90_000;
    await ask(server);
    expect(sas.logon.asked.map(({ form }) => form.get('refresh_token'))).toEqual(['refresh-0000', 'refresh-0001']);
  });

  it('say what to do when the refresh token has expired', async () => {
    const server = connect({ SAS_GRANT: 'refresh_token', SAS_REFRESH_TOKEN: 'refresh-of-last-year' });
    const { message } = await failure(ask(server));
    expect(message).toMatch(/gives no token \(401\): .*set SAS_REFRESH_TOKEN anew\.$/);
    expect(message).not.toContain('refresh-of-last-year');
  });
});

const user = () => ({ SAS_USERNAME: sas.logon.user.name, SAS_PASSWORD: sas.logon.user.password });

describe('tokens', () => {
  it('are got once, however many calls wait', async () => {
    const server = connect();
    await Promise.all(Array.from({ length: 8 }, () => ask(server)));
    expect(sas.logon.logons).toBe(1);
  });

  it('are renewed at four fifths of the life that the logon gave them', async () => {
    const server = connect();
    await ask(server);
    now += 0.79 * 3_599_000;
    await ask(server);
    expect(sas.logon.logons).toBe(1);
    now += 0.02 * 3_599_000;
    await Promise.all([ask(server), ask(server)]);
    expect(sas.logon.logons).toBe(2);
  });

  it('are used to their end while the logon is away', async () => {
    const server = connect();
    await ask(server);
    now += 0.9 * 3_599_000;
    sas.logon.answers.push({ status: 500, json: { error: 'server_error' } });
    await ask(server);
    // Not asked again at once.
    await ask(server);
    expect([sas.logon.logons, sas.logon.asked.length]).toEqual([1, 2]);
    now += 31_000;
    await ask(server);
    expect(sas.logon.logons).toBe(2);
  });

  it('are got anew once, and one time for all calls, when the API says that they have expired', async () => {
    const server = connect();
    await ask(server);
    sas.logon.good.clear();
    await Promise.all(Array.from({ length: 5 }, () => ask(server)));
    expect(sas.logon.logons).toBe(2);
    // A token that is never good is no reason to log on for ever.
    sas.logon.good.add = () => sas.logon.good;
    sas.logon.good.clear();
    const { message } = await failure(ask(server));
    expect(message).toMatch(/refuses to list projects \(401\)/);
    expect(sas.logon.logons).toBe(3);
  });

  it('are not got anew for a 401 of another kind', async () => {
    const server = connect();
    await ask(server);
    sas.faults.push({ on: /projects/, reply: { status: 401, json: { message: 'Full authentication is required.' } } });
    await failure(ask(server));
    expect(sas.logon.logons).toBe(1);
  });
});

describe('a logon that fails', () => {
  it.each([
    [
      'a wrong client',
      { SAS_CLIENT_SECRET: 'wr0ng-secret' },
      /Bad credentials; check SAS_CLIENT_ID and SAS_CLIENT_SECRET/,
    ],
    [
      'a grant that the client may not use',
      { SAS_CLIENT_ID: 'sas.ec', SAS_CLIENT_SECRET: '' },
      /Unauthorized grant type: client_credentials; check/,
    ],
  ])('is one sentence: %s', async (_what, settings, sentence) => {
    const { code, message, detail } = await failure(ask(connect(settings)));
    expect(code).toBe('registry.unavailable');
    expect(message).toMatch(sentence);
    expect(`${message}${JSON.stringify(detail)}`).not.toContain('wr0ng-secret');
    expect(message).not.toContain('\n');
  });

  it.each([
    [
      '200 with an error',
      { status: 200, json: { error: 'unauthorized', error_description: 'Locked' } },
      /token \(200\): Locked;/,
    ],
    ['200 with nothing', { status: 200, json: {} }, /its answer has no access_token/],
    [
      'a web page',
      {
        status: 200,
        headers: { 'Content-Type': 'text/html' },
        raw: Buffer.from('<html><title>Sign in</title></html>'),
      },
      /it answers with a web page, Sign in; check SAS_URL/,
    ],
  ])('is seen behind %s', async (_what, reply, sentence) => {
    sas.logon.answers.push(reply);
    const { code, message } = await failure(ask(connect()));
    expect(code).toBe('registry.unavailable');
    expect(message).toMatch(sentence);
    expect(sas.seen).toEqual([]);
  });
});

it('sends no cookie back, and says who is asked when nobody answers', async () => {
  const server = connect();
  await ask(server);
  await ask(server);
  expect(sas.seen.map(({ cookie }) => cookie)).toEqual([false, false]);
  const download = await server.download('/modelRepository/projects', 'to give it');
  expect(await text(download.body)).toContain('Home Equity');
  await sas.down();
  const { message } = await failure(ask(server));
  expect(message).toMatch(/^SAS Viya at http:\/\/127\.0\.0\.1:\d+ \(SAS_URL\) cannot be used: /);
});

it('trusts the certificate authority that it is given, and no other', async () => {
  await sas.stop();
  const dir = mkdtempSync(join(tmpdir(), 'fairway-ca-'));
  const identity = loadIdentity(dir, ['127.0.0.1'], Date.now());
  sas = await startFakeSas('3.5', identity);
  const file = join(dir, 'ca.pem');
  writeFileSync(file, identity.certificate);
  await ask(connect({ SAS_CA_FILE: file }));
  expect(sas.seen).toHaveLength(1);
  const { message } = await failure(ask(connect()));
  expect(message).toMatch(/^The SAS logon .*its certificate is not trusted .*name its certificate authority in a file/);
  rmSync(dir, { recursive: true });
});
