import { expect, it } from 'vitest';
import { challenges } from './challenge.ts';

it.each([
  [
    'Bearer realm="https://auth.example.com/token",service="a, b",scope="repository:a:pull,push"',
    [
      {
        scheme: 'bearer',
        params: { realm: 'https://auth.example.com/token', service: 'a, b', scope: 'repository:a:pull,push' },
      },
    ],
  ],
  ['basic', [{ scheme: 'basic', params: {} }]],
  ['Basic realm="a \\"b\\""', [{ scheme: 'basic', params: { realm: 'a "b"' } }]],
  [
    'Basic realm=a, Bearer Realm = "https://x/t" , service=s',
    [
      { scheme: 'basic', params: { realm: 'a' } },
      { scheme: 'bearer', params: { realm: 'https://x/t', service: 's' } },
    ],
  ],
  ['', []],
  ['"', []],
])('reads %j', (header, expected) => {
  expect(challenges(header)).toEqual(expected);
});
