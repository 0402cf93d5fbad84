import { expect, test } from 'vitest';
import { checkNode } from './requirements.ts';

test.each([
  ['18.20.0', false],
  ['20.18.1', false],
  ['20.19.0', true],
  ['22.0.0', true],
])('Node %s', (version, ok) => {
  expect(checkNode(version).ok).toBe(ok);
  if (!ok) expect(checkNode(version).text).toBe(`Node ${version} is too old: install Node 20.19 or newer.`);
});
