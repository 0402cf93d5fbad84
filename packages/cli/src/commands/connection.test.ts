import { expect, test } from 'vitest';
import { connection } from './connection.ts';

const GOOD = { FAIRWAY_WRITER_URL: 'https://writer.example.com', FAIRWAY_WRITER_TOKEN: 'w' };

test('an installation is named by the environment', () => {
  const monitor = { FAIRWAY_MONITOR_URL: 'http://monitor:8080', FAIRWAY_MONITOR_TOKEN: 'm' };
  expect(connection('nowhere', { ...GOOD, ...monitor })).toEqual({
    writer: 'https://writer.example.com',
    writerToken: 'w',
    monitor: 'http://monitor:8080',
    monitorToken: 'm',
  });
});

test.each(['FAIRWAY_WRITER_URL', 'FAIRWAY_MONITOR_URL', 'FAIRWAY_RECORDER_URL'])(
  '%s that is no URL is told by name, before anything is asked',
  (name) => {
    for (const value of ['localhost:8080', 'writer', 'redis://user:hunter22@127.0.0.1'])
      expect(() => connection('nowhere', { ...GOOD, [name]: value })).toThrow(
        `${name} is not usable: it must be a URL that starts with http:// or https://.`,
      );
  },
);
