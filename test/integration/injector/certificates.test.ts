import { Agent } from 'node:https';
import { connect } from 'node:tls';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { eventually } from '../agent/agent.ts';
import { call, type Injector, JSON_TYPE, review, secretFolder, type SecretFolder, startInjector } from './injector.ts';

let folder: SecretFolder;
let injector: Injector;

beforeEach(() => {
  folder = secretFolder();
});
afterEach(async () => {
  await injector.end('SIGKILL');
  folder.remove();
});

const serial = (port: number) =>
  new Promise<string>((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.on('error', reject);
  });
const pod = { metadata: {}, spec: { containers: [{ name: 'a' }] } };
const send = (ca: string, agent?: Agent) =>
  call({ port: injector.port, ca, headers: JSON_TYPE, ...(agent ? { agent } : {}) }, review(pod));
const metric = async (text: string) => (await (await fetch(`${injector.admin}/metrics`)).text()).includes(`${text}\n`);

it('are exchanged without dropping connections; a bad pair is told and the old one stays', async () => {
  const [first, second, third] = [folder.identity(), folder.identity(), folder.identity()];
  folder.put(first);
  injector = await startInjector(folder);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const idle = () => Object.values(agent.freeSockets).flatMap((sockets) => sockets ?? []);
  expect((await send(first.certificate, agent)).status).toBe(200);
  const [socket] = idle();
  const before = await serial(injector.port);

  folder.put(second);
  await eventually(async () => (await serial(injector.port)) !== before);
  expect((await send(first.certificate, agent)).status).toBe(200);
  expect(idle()).toEqual([socket]);
  await expect(send(first.certificate)).rejects.toThrow(/certificate/);
  expect((await send(second.certificate)).status).toBe(200);
  const used = await serial(injector.port);

  const bad = [
    ['The key does not belong to the certificate', { certificate: third.certificate, key: second.key }],
    ['Certificate and key are not a pair of PEM files', { certificate: 'not PEM', key: third.key }],
    ['The certificate has expired', folder.identity(Date.parse('2010-01-01'))],
    ['The certificate is not valid before', folder.identity(Date.now() + 7 * 86_400_000)],
  ] as const;
  for (const [index, [told, pair]] of bad.entries()) {
    folder.put(pair);
    await eventually(() => metric(`fairway_injector_certificates_total{result="kept"} ${index + 1}`));
    await eventually(async () => injector.output().includes(told));
    expect(await serial(injector.port)).toBe(used);
  }
  expect(injector.output()).not.toContain('PRIVATE KEY');

  folder.put(third);
  await eventually(async () => (await serial(injector.port)) !== used);
  expect((await send(third.certificate)).status).toBe(200);
  expect((await fetch(`${injector.admin}/readyz`)).status).toBe(200);
  agent.destroy();
});

it.each([
  ['are not there yet', () => undefined, /tls\.crt and .*tls\.key cannot be read \(ENOENT\)/],
  ['have expired', () => folder.put(folder.identity(Date.parse('2010-01-01'))), /The certificate has expired \(2019-/],
])('that %s at the start leave it waiting, not ready, and are exchanged for good ones', async (_, before, told) => {
  before();
  injector = await startInjector(folder, {}, false);
  const ready = async () => (await fetch(`${injector.admin}/readyz`)).text();
  await eventually(async () => told.test(await ready()), 60_000);
  expect((await fetch(`${injector.admin}/healthz`)).status).toBe(200);
  const words = /certificate cannot be used, pods start without their agent until one can/;
  await eventually(async () => words.test(injector.output()) && told.test(injector.output()));
  expect(await metric('fairway_injector_certificate_expires_seconds 0')).toBe(true);
  const good = folder.identity();
  await expect(send(good.certificate)).rejects.toThrow();
  folder.put(good);
  await eventually(async () => (await fetch(`${injector.admin}/readyz`)).status === 200);
  expect((await send(good.certificate)).status).toBe(200);
  expect(injector.child.exitCode).toBeNull();
});
