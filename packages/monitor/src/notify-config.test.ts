import { readEnv } from '@fairway/core';
import { expect, test } from 'vitest';
import { checkNotifyEnv, NOTIFY_ENV } from './notify-config.ts';

const read = (source: Record<string, string>) => {
  const env = readEnv(source, NOTIFY_ENV);
  checkNotifyEnv(env);
  return env;
};
const MAIL = { SMTP_HOST: 'mail.example.com', MAIL_FROM: 'f@example.com', MAIL_TO: 'a@example.com, b@example.com' };

test('nothing is needed, and everything has a value', () => {
  expect(read({})).toMatchObject({
    SMTP_PORT: 587,
    SMTP_SECURITY: 'starttls',
    QUIET_ZONE: 'UTC',
    QUIET_EXEMPT: ['alert'],
    NOTIFY_FLEET_MODELS: 5,
    NOTIFY_GATHER_MS: 2_000,
    MAIL_TO: [],
  });
});

test.each([
  'https://prod-01.westeurope.logic.azure.com:443/workflows/a/triggers/manual/paths/invoke?sig=b',
  'https://default1.01.environment.api.powerplatform.com/powerautomate/automations/direct/cu/01/workflows/x?sig=y',
  'https://whatever.comes.next.example/',
  'http://127.0.0.1:8080/flow',
])('takes %s', (url) => {
  expect(read({ TEAMS_WEBHOOK_URL: url }).TEAMS_WEBHOOK_URL).toBe(url);
});

test('reads mail and quiet hours', () => {
  const env = read({
    ...MAIL,
    QUIET_HOURS: '22:00-07:00',
    QUIET_ZONE: 'Europe/Berlin',
    QUIET_EXEMPT: 'alert, warning',
  });
  expect(env.MAIL_TO).toEqual(['a@example.com', 'b@example.com']);
  expect(env.QUIET_HOURS).toEqual({ from: 1320, to: 420 });
  expect(env.QUIET_EXEMPT).toEqual(['alert', 'warning']);
});

test.each([
  [
    { TEAMS_WEBHOOK_URL: 'http://flows.example.com/?sig=hush-hush' },
    'TEAMS_WEBHOOK_URL must be a URL that starts with https',
  ],
  [{ QUIET_HOURS: '10pm' }, 'QUIET_HOURS must be two times'],
  [{ QUIET_ZONE: 'Berlin' }, 'QUIET_ZONE must be a time zone'],
  [{ ...MAIL, MAIL_TO: 'everybody' }, 'MAIL_TO must be mail addresses'],
  [{ SMTP_HOST: 'x' }, 'SMTP_HOST needs MAIL_FROM and MAIL_TO'],
  [{ NOTIFY_WEBHOOK_URL: 'https://x/' }, 'NOTIFY_WEBHOOK_URL and NOTIFY_WEBHOOK_SECRET belong together'],
  [{ ...MAIL, SMTP_USER: 'me' }, 'SMTP_USER and SMTP_PASSWORD belong together'],
  [{ ...MAIL, SMTP_USER: 'me', SMTP_PASSWORD: 'hush-hush', SMTP_SECURITY: 'none' }, 'in the clear'],
])('refuses %j in a sentence, without the secret', (source, sentence) => {
  const refused = () => read(source);
  expect(refused).toThrow(sentence);
  expect(refused).not.toThrow('hush-hush');
});
