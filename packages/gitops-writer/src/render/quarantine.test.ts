import { describe, expect, it } from 'vitest';
import { parseQuarantine, withEntry } from './quarantine.ts';

const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const entry = {
  version: '2',
  digest: digest('2'),
  change: 'c',
  reason: 'too slow: p99 # 3 s',
  since: '2026-11-22T10:00:00.000Z',
};

describe('quarantine.yaml', () => {
  it('is begun with its first entry, and says how one is lifted', () => {
    const begun = withEntry('m', undefined, entry);
    expect(begun?.path).toBe('models/m/quarantine.yaml');
    expect(begun?.text).toContain('To lift one, merge a pull request that removes its entry');
    expect(parseQuarantine('m', begun?.text)).toEqual([entry]);
  });

  it('keeps what people wrote, byte for byte', () => {
    const theirs = `# ours, too\r\napiVersion: fairway.dev/v1\r\nkind: Quarantine\r\nentries:\r\n  - { model: m, version: "1", digest: ${digest('1')} } # by hand`;
    const after = withEntry('m', theirs, entry)?.text ?? '';
    expect(after.startsWith(`${theirs}\r\n  - { model: m, version: "2", digest: ${digest('2')}`)).toBe(true);
    expect(parseQuarantine('m', after).map(({ version }) => version)).toEqual(['1', '2']);
  });

  it('has one entry for a digest', () => {
    const once = withEntry('m', undefined, entry)?.text;
    expect(withEntry('m', once, { ...entry, reason: 'again' })).toBeUndefined();
  });

  it('may be empty again', () => {
    const head = 'apiVersion: fairway.dev/v1\nkind: Quarantine\n';
    for (const text of ['', '\n', `${head}entries: []\n`, `${head}entries:\n`]) {
      expect(parseQuarantine('m', text)).toEqual([]);
      expect(parseQuarantine('m', withEntry('m', text, entry)?.text)).toEqual([entry]);
    }
  });

  it.each([
    ['no YAML', 'entries: [', 'is not usable'],
    ['another list', 'entries: []\n', 'apiVersion'],
    [
      'a digest that is none',
      `apiVersion: fairway.dev/v1\nkind: Quarantine\nentries: [{ model: m, version: "1", digest: x }]\n`,
      'entries.0.digest',
    ],
    [
      'another model',
      `apiVersion: fairway.dev/v1\nkind: Quarantine\nentries: [{ model: n, version: "1", digest: ${digest('1')} }]\n`,
      'model "n"',
    ],
    ['an anchor', 'entries: &e []\n', 'anchors and aliases'],
  ])('with %s lets nothing through', (_, text, problem) => {
    expect(() => parseQuarantine('m', text)).toThrow(problem);
    expect(() => withEntry('m', text, entry)).toThrow(/^models\/m\/quarantine\.yaml/);
  });
});
