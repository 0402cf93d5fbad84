import { expect, it } from 'vitest';
import { addressOf } from './address.ts';

it.each([
  ['https://github.com', 'https://api.github.com', 'https://api.github.com/graphql', 3],
  ['https://github.com/', 'https://api.github.com', 'https://api.github.com/graphql', 3],
  ['https://api.github.com', 'https://api.github.com', 'https://api.github.com/graphql', 3],
  ['https://bank.ghe.com', 'https://api.bank.ghe.com', 'https://api.bank.ghe.com/graphql', 3],
  ['https://api.bank.ghe.com', 'https://api.bank.ghe.com', 'https://api.bank.ghe.com/graphql', 3],
  ['https://git.bank.example', 'https://git.bank.example/api/v3', 'https://git.bank.example/api/graphql', 0],
  ['https://git.bank.example/api/v3/', 'https://git.bank.example/api/v3', 'https://git.bank.example/api/graphql', 0],
  ['http://127.0.0.1:8080', 'http://127.0.0.1:8080/api/v3', 'http://127.0.0.1:8080/api/graphql', 0],
  ['https://notgithub.com', 'https://notgithub.com/api/v3', 'https://notgithub.com/api/graphql', 0],
])('%s', (url, api, graphql, windows) => {
  const address = addressOf(url);
  expect(address).toMatchObject({ api, graphql });
  expect(address.limits.windows).toHaveLength(windows);
});
