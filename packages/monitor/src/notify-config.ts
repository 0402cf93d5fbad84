import { choice, FairwayError, integer, optionalText, type Reader } from '@fairway/core';
import { isTimeZone, parseQuietHours } from './app/quiet-hours.ts';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Any https address: the form that Teams gives has changed before. Without TLS only on this machine. */
const secretUrl: Reader<string | undefined> = (raw) => {
  if (raw === undefined) return { value: undefined };
  const url = URL.canParse(raw) ? new URL(raw) : undefined;
  const safe = url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK.test(url.hostname));
  return safe ? { value: raw } : { problem: 'must be a URL that starts with https:// (http:// only for this machine)' };
};

const secret: Reader<string | undefined> = (raw) =>
  raw === undefined || raw.length >= 16 ? { value: raw } : { problem: 'must have at least 16 characters' };

const ADDRESS = /^[^\s@,<>]+@[^\s@,<>]+$/;
const list = (raw: string): string[] =>
  raw
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

const addresses: Reader<readonly string[]> = (raw) => {
  const all = list(raw ?? '');
  return all.every((one) => ADDRESS.test(one))
    ? { value: all }
    : { problem: 'must be mail addresses such as ops@example.com, parted by commas' };
};

const sender: Reader<string | undefined> = (raw) =>
  raw === undefined || ADDRESS.test(raw)
    ? { value: raw }
    : { problem: 'must be a mail address such as fairway@example.com' };

const quietHours: Reader<{ from: number; to: number } | undefined> = (raw) => {
  if (raw === undefined) return { value: undefined };
  const value = parseQuietHours(raw);
  return value === undefined ? { problem: 'must be two times such as 22:00-07:00' } : { value };
};

const zone: Reader<string> = (raw = 'UTC') =>
  isTimeZone(raw) ? { value: raw } : { problem: 'must be a time zone such as Europe/Berlin' };

const events: Reader<readonly string[]> = (raw) => ({ value: raw === undefined ? ['alert'] : list(raw) });

/** How people are told (docs/notifications.md). Every variable may come from a file: NAME_FILE. */
export const NOTIFY_ENV = {
  TEAMS_WEBHOOK_URL: { about: 'Teams workflow that posts cards; a secret as a whole', read: secretUrl },
  NOTIFY_WEBHOOK_URL: { about: 'address that takes signed messages as JSON', read: secretUrl },
  NOTIFY_WEBHOOK_SECRET: { about: 'signs the messages to NOTIFY_WEBHOOK_URL', read: secret },
  SMTP_HOST: optionalText('mail server'),
  SMTP_PORT: integer('port of the mail server', { min: 1, max: 65_535, fallback: 587 }),
  SMTP_SECURITY: choice('how the connection to the mail server is secured', ['starttls', 'tls', 'none'], 'starttls'),
  SMTP_CA: optionalText('certificate authorities of the mail server, PEM'),
  SMTP_USER: optionalText('name at the mail server'),
  SMTP_PASSWORD: optionalText('password at the mail server'),
  MAIL_FROM: { about: 'sender of mails', read: sender },
  MAIL_TO: { about: 'receivers of mails', read: addresses },
  QUIET_HOURS: { about: 'hours in which messages wait for one digest', read: quietHours },
  QUIET_ZONE: { about: 'time zone of QUIET_HOURS', read: zone },
  QUIET_EXEMPT: { about: 'events that are told in QUIET_HOURS too', read: events },
  NOTIFY_FLEET_MODELS: integer('the same bad news of more models than this at once is one message', {
    min: 1,
    max: 10_000,
    fallback: 5,
  }),
  NOTIFY_GATHER_MS: integer('events are gathered until none has come for so long', {
    min: 0,
    max: 30_000,
    fallback: 2_000,
  }),
};

type NotifyEnv = {
  readonly NOTIFY_WEBHOOK_URL: string | undefined;
  readonly NOTIFY_WEBHOOK_SECRET: string | undefined;
  readonly SMTP_HOST: string | undefined;
  readonly SMTP_SECURITY: string;
  readonly SMTP_USER: string | undefined;
  readonly SMTP_PASSWORD: string | undefined;
  readonly MAIL_FROM: string | undefined;
  readonly MAIL_TO: readonly string[];
};

/** Throws `config.invalid` with every setting that lacks another one. */
export function checkNotifyEnv(env: NotifyEnv): void {
  const problems: string[] = [];
  if ((env.NOTIFY_WEBHOOK_URL === undefined) !== (env.NOTIFY_WEBHOOK_SECRET === undefined))
    problems.push('NOTIFY_WEBHOOK_URL and NOTIFY_WEBHOOK_SECRET belong together: set both or neither.');
  if (env.SMTP_HOST !== undefined && (env.MAIL_FROM === undefined || env.MAIL_TO.length === 0))
    problems.push('SMTP_HOST needs MAIL_FROM and MAIL_TO.');
  if (env.SMTP_HOST === undefined && env.MAIL_TO.length > 0) problems.push('MAIL_TO needs SMTP_HOST.');
  if ((env.SMTP_USER === undefined) !== (env.SMTP_PASSWORD === undefined))
    problems.push('SMTP_USER and SMTP_PASSWORD belong together: set both or neither.');
  if (env.SMTP_PASSWORD !== undefined && env.SMTP_SECURITY === 'none' && !LOOPBACK.test(env.SMTP_HOST ?? ''))
    problems.push('SMTP_SECURITY=none would send SMTP_PASSWORD in the clear: use starttls or tls.');
  if (problems.length === 0) return;
  throw new FairwayError('config.invalid', `The configuration is not usable:\n  ${problems.join('\n  ')}`, {
    detail: { problems },
  });
}
