import { expect, it } from 'vitest';
import { WRITER_ENV } from './config.ts';

const { read } = WRITER_ENV.ANSWER_ORIGINS;

it('takes origins of workflows, none when nothing is set', () => {
  expect(read(undefined)).toEqual({ value: [] });
  expect(read('https://viya.example.com, http://localhost:8080/')).toEqual({
    value: ['https://viya.example.com', 'http://localhost:8080'],
  });
});

it.each([
  'viya.example.com',
  'https://viya.example.com/workflow',
  'https://user@viya.example.com',
  'https://*.example.com/x',
  'ftp://viya.example.com',
  'https://viya.example.com https://other.example.com',
])('refuses %s', (raw) => {
  expect(read(raw)).toEqual({ problem: expect.stringContaining('must be origins such as https://') });
});

it('takes no token that could be guessed', () => {
  const { read: token } = WRITER_ENV.WRITER_TOKEN;
  expect(token(undefined)).toEqual({ problem: 'is not set' });
  expect(token('fifteen letters')).toEqual({ problem: 'must have at least 16 characters' });
  expect(token('sixteen letters.')).toEqual({ value: 'sixteen letters.' });
});
