import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';

/** PEM texts of the API's key and its self-signed certificate, which is its own authority. */
export type Identity = { readonly key: string; readonly certificate: string };

const DAY_MS = 86_400_000;

/**
 * The identity kept in `dir`, made at the first start. Clients send bearer tokens over TLS only
 * (kubectl drops them on plain HTTP), and Node can sign but not make X.509, so the few DER fields are written here.
 */
export function loadIdentity(dir: string, hosts: readonly string[], now: number): Identity {
  const file = join(dir, 'identity.json');
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Identity;
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const identity = {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    certificate: selfSigned(privateKey, publicKey, hosts, now),
  };
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.new`, JSON.stringify(identity), { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return identity;
}

/** X.509 v3 (RFC 5280), ECDSA with SHA-256, valid for ten years from yesterday. */
function selfSigned(key: KeyObject, publicKey: KeyObject, hosts: readonly string[], now: number): string {
  const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));
  const name = sequence(tlv(0x31, sequence(oid('550403'), tlv(0x0c, Buffer.from('fairway-kube')))));
  const serial = randomBytes(12);
  serial[0] = 1;
  const body = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, serial),
    ecdsaWithSha256,
    name,
    sequence(time(now - DAY_MS), time(now + 3650 * DAY_MS)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(authority(), alternativeNames(hosts))),
  );
  const signature = sign('sha256', body, createPrivateKey(key.export({ type: 'pkcs8', format: 'pem' })));
  const der = sequence(body, ecdsaWithSha256, tlv(0x03, Buffer.concat([Buffer.of(0), signature])));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

const authority = () => {
  const isAuthority = sequence(tlv(0x01, Buffer.of(0xff)));
  return sequence(oid('551d13'), tlv(0x01, Buffer.of(0xff)), tlv(0x04, isAuthority));
};

const alternativeNames = (hosts: readonly string[]) => {
  const names = hosts.map((host) =>
    isIP(host) === 4 ? tlv(0x87, Buffer.from(host.split('.').map(Number))) : tlv(0x82, Buffer.from(host)),
  );
  return sequence(oid('551d11'), tlv(0x04, sequence(...names)));
};

const oid = (hex: string) => tlv(0x06, Buffer.from(hex, 'hex'));
const sequence = (...parts: Buffer[]) => tlv(0x30, Buffer.concat(parts));
/** UTCTime holds years to 2049, GeneralizedTime the rest. */
const time = (ms: number) => {
  const digits = new Date(ms).toISOString().replaceAll(/[-:T]|\..*/g, '');
  return digits < '2050' ? tlv(0x17, Buffer.from(`${digits.slice(2)}Z`)) : tlv(0x18, Buffer.from(`${digits}Z`));
};

function tlv(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
