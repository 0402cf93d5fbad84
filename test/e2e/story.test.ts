import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../guards/source.ts';
import { startDemo } from '../harness/demo.ts';
import { expectStory } from './facts.ts';

test('the story on generated data: warning, then alert, one retraining, then better', async () => {
  const told = await startDemo().told;
  expectStory(told, { v1Windows: 4 });
  const verdicts = told.summary?.windows.map(({ verdict }) => verdict) ?? [];
  expect(verdicts.slice(0, 4)).toEqual(['healthy', 'healthy', 'warning', 'alert']);
  for (const { predictions } of told.summary?.windows ?? []) expect(predictions).toBeGreaterThanOrEqual(2000);
});

const hmeq = join(ROOT, '../shared/data/hmeq');
test.skipIf(!existsSync(hmeq))(
  'the story on the public data (skipped where ../shared/data/hmeq is absent)',
  async () => {
    const told = await startDemo(['--data', hmeq]).told;
    expectStory(told, { v1Windows: 2 });
  },
);
