import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { caseFiles, ruleSpec } from './rules.ts';

const PROMTOOL = 'promtool';
const found = spawnSync(PROMTOOL, ['--version']).status === 0;
if (!found) console.log('Alert rules: not evaluated, no promtool is on the PATH (Debian: package prometheus).');

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'fairway-alerts-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** What promtool says, on both channels. */
function promtool(...args: string[]): string {
  try {
    return execFileSync(PROMTOOL, args, { cwd: dir, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${stdout}${stderr}`, { cause: error });
  }
}

test.skipIf(!found)('Prometheus takes the rules, their templates too (skipped where promtool is not installed)', () => {
  writeFileSync(join(dir, 'all.yaml'), stringify(ruleSpec()));
  expect(promtool('check', 'rules', 'all.yaml')).toContain('SUCCESS');
});

test.skipIf(!found).each(caseFiles())(
  'the alerts fire and stay quiet as $name says (skipped where promtool is not installed)',
  { timeout: 120_000 },
  ({ name, text }) => {
    // Of the annotations only the summary: cases that repeat whole descriptions would be read by nobody.
    const groups = ruleSpec().groups.map((group) => ({
      ...group,
      rules: group.rules.map((rule) => ({ ...rule, annotations: { summary: rule.annotations.summary } })),
    }));
    writeFileSync(join(dir, 'rules.yaml'), stringify({ groups }));
    writeFileSync(join(dir, name), text);
    expect(promtool('test', 'rules', name)).toContain('SUCCESS');
  },
);
