import { readEnv } from '@fairway/core';
import { expect, test } from 'vitest';
import { ENVIRONMENT, queueBackend } from './config.ts';

const NEEDED = {
  SPOOL_DIR: '/spool',
  QUEUE_URL: 'redis://queue:6379',
  FAIRWAY_MODEL: 'home-equity',
  FAIRWAY_ENVIRONMENT: 'prod',
  AGENT_NAME: 'pod-1',
};
const read = (env: NodeJS.ProcessEnv) => readEnv({ ...NEEDED, ...env }, ENVIRONMENT);

test('what the contract names as default is the default', () => {
  expect(read({})).toMatchObject({
    LISTEN_HOST: '0.0.0.0',
    LISTEN_PORT: 9001,
    UPSTREAM: { host: '127.0.0.1', port: 8501 },
    ADMIN_PORT: 9090,
    QUEUE_PREFIX: 'fairway',
    TRUST_EVENT_TIME: false,
  });
});

test('an IPv6 upstream is written in brackets', () => {
  expect(read({ UPSTREAM: '[::1]:8501' }).UPSTREAM).toEqual({ host: '::1', port: 8501 });
});

test('every mistake is named at once', () => {
  const read = () => readEnv({ UPSTREAM: '::1:8501', QUEUE_PREFIX: 'a b', QUEUE_URL: 'amqp://x' }, ENVIRONMENT);
  expect(read).toThrow(
    /UPSTREAM must be host:port[^]*SPOOL_DIR is not set[^]*QUEUE_URL must be[^]*QUEUE_PREFIX must be/,
  );
});

test('the backend follows the scheme, and a prefix that is no schema is refused before it can hurt', () => {
  expect(queueBackend(read({ QUEUE_PREFIX: 'a-b' }))).toBe('redis');
  const postgres = { QUEUE_URL: 'postgres://u:secret@db/queue' };
  expect(queueBackend(read(postgres))).toBe('postgres');
  expect(() => queueBackend(read({ ...postgres, QUEUE_PREFIX: 'a-b' }))).toThrow(/underscores/);
});
