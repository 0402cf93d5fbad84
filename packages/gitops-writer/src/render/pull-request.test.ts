import type { Approval, ModelVersion } from '@fairway/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { marker } from './body.ts';
import { fileChanges } from './diff.ts';
import { code, fenced, plain, quote } from './markdown.ts';
import { parseModelFile } from './model-file.ts';
import { readModelVersion } from './model-version.ts';
import { deployPullRequest, type DeployEvidence } from './pull-request.ts';

const CHANGE = '0123456789abcdef0123';
const file = parseModelFile(
  'm',
  `apiVersion: fairway.dev/v1
kind: Model
name: m
owner: a
source: { registry: directory }
environments: [{ name: prod, namespace: m-prod, merge: review }, { name: dev, namespace: m-dev, merge: auto }]
`,
);
const [environment] = file.environments;
if (environment === undefined) throw new Error('the sample has an environment');

/** What people and registries could send to break a page: whole constructs, and any Unicode between them. */
const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '```',
    '~~~\n',
    '````diff',
    '| a | b |',
    '\n|---|\n',
    '</details>',
    '<details>',
    '<!--',
    '-->',
    marker('f'.repeat(20)),
  ),
  fc.constantFrom(
    'fixes #1',
    '@alice',
    'closes https://x.example/issues/1',
    '![x](https://x.example)',
    '[x](y)',
    '<img src=x>',
    '> q',
    '\\',
    '\uD800',
  ),
);
const text = fc.array(hostile, { maxLength: 12 }).map((parts) => parts.join(''));
const tensors = fc.array(fc.record({ name: text, dtype: text, shape: fc.array(fc.integer(), { maxLength: 3 }) }), {
  maxLength: 30,
});
const version: fc.Arbitrary<ModelVersion> = fc.record({
  model: fc.constant('m'),
  version: fc.constantFrom('1', '2'),
  digest: fc.constant(`sha256:${'a'.repeat(64)}`),
  signature: fc.record({ name: text, method: text, inputs: tensors, outputs: tensors }),
  variables: fc.array(fc.record({ name: text, type: text, role: fc.constantFrom('input', 'output') })),
  target: fc.record({ variable: text, event: text, probability: text }),
  metrics: fc.dictionary(text, fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { maxKeys: 100 }),
  origin: text,
}) as unknown as fc.Arbitrary<ModelVersion>;
const files = fc.array(
  fc.record({
    path: fc.constantFrom('deployment.yaml', 'x.yaml', 'y|z.json').map((name) => `models/m/environments/prod/${name}`),
    text: fc.oneof(
      text,
      text.map((line) => `${line}\n`.repeat(300)),
    ),
  }),
  { maxLength: 3 },
);
const evidence: fc.Arbitrary<DeployEvidence> = fc.record(
  {
    change: fc.constant(CHANGE),
    approval: fc.record({
      eventId: text,
      actor: text,
      time: fc.constant('2026-11-22T08:30:00.000Z'),
      evidence: text,
    }) as unknown as fc.Arbitrary<Approval>,
    modelVersion: version,
    current: version,
    environment: fc.constant(environment),
    file: fc.constant(file),
    image: fc.constant(`r.example/m@sha256:${'b'.repeat(64)}`),
    before: files,
    after: files,
    dashboardUrl: fc.constant('https://fairway.example.com'),
    bodyLimit: fc.integer({ min: marker(CHANGE).length + 1, max: 70_000 }),
  },
  {
    requiredKeys: [
      'change',
      'approval',
      'modelVersion',
      'environment',
      'file',
      'image',
      'before',
      'after',
      'bodyLimit',
    ],
  },
);

/** Lines outside of fenced blocks; fails when a block is not closed. */
function outside(body: string): string[] {
  let fence: string | undefined;
  const lines = body.split('\n').filter((line) => {
    const mark = /^`{3,}/.exec(line)?.[0];
    if (fence === undefined) {
      fence = mark;
      return mark === undefined;
    }
    if (mark !== undefined && line.trim() === mark && mark.length >= fence.length) fence = undefined;
    return false;
  });
  expect(fence).toBeUndefined();
  return lines;
}

function expectWholeTables(lines: readonly string[]): void {
  let columns: number | undefined;
  for (const line of lines) {
    if (!line.startsWith('|')) columns = undefined;
    else {
      const found = line.match(/(?<!\\)(?:\\\\)*\|/g)?.length ?? 0;
      expect(found).toBe((columns ??= found));
    }
  }
}

describe('the pull request of a deployment', () => {
  it('shows a metric whatever it is called', () => {
    const [given] = fc.sample(evidence, 1);
    if (given === undefined) throw new Error('a sample has evidence');
    const modelVersion = { ...given.modelVersion, metrics: { toString: 0.5 } };
    const current = { ...given.modelVersion, metrics: {} };
    const { body } = deployPullRequest({ ...given, modelVersion, current, bodyLimit: 1_000_000 });
    expect(body).toMatch(/TOSTRING \| – \| 0\.5000/);
  });

  it('stays whole Markdown with exactly one marker within any limit, whatever people and registries say', () => {
    fc.assert(
      fc.property(evidence, (given) => {
        const { body } = deployPullRequest(given);
        expect(body.length).toBeLessThanOrEqual(given.bodyLimit);
        expect(body.match(/<!--[\s\S]*?-->/g)).toEqual([marker(CHANGE)]);
        expect(body).not.toMatch(/\p{Cs}/u);
        const lines = outside(body);
        const outer = lines.join('\n');
        expect(lines.filter((line) => line === '<details>').length).toBe(
          lines.filter((line) => line === '</details>').length,
        );
        expectWholeTables(lines);
        const spoken = outer.replaceAll(/(?<![\\`])(`+)(?!`).*?(?<!`)\1(?!`)/g, '');
        expect(spoken.replaceAll(/<\/?(details|summary)>|<!-- [^>]* -->/g, '')).not.toMatch(/(?<!\\)<[a-z!/]/i);
        expect(spoken).not.toMatch(/@(?=[\w-])|#\d|!\[|\b(fixes|closes)\s/);
        expect(spoken.match(/https?:\/\/[^\s)]+/g) ?? []).toSatisfy((urls: string[]) =>
          urls.every((url) => url.startsWith('https://fairway.example.com/')),
        );
      }),
      { numRuns: 40 },
    );
  });

  it('drops what is shown elsewhere first, and says where it cut', () => {
    const lines = Array.from({ length: 400 }, (_, i) => `line ${i}`).join('\n');
    const given = {
      change: CHANGE,
      approval: {
        eventId: 'e',
        model: 'm',
        version: '2',
        environment: 'prod',
        actor: 'alice',
        time: '2026-11-22T08:30:00.000Z',
        evidence: 'word '.repeat(800),
      },
      modelVersion: {
        model: 'm',
        version: '2',
        digest: `sha256:${'a'.repeat(64)}`,
        signature: { name: 's', method: 'p', inputs: [], outputs: [] },
        variables: [],
        target: { variable: 'B', event: '1', probability: 'P' },
        metrics: { auc: 0.9 },
        origin: 'o',
      },
      environment,
      file,
      image: `r.example/m@sha256:${'b'.repeat(64)}`,
      before: [],
      after: [{ path: 'models/m/environments/prod/deployment.yaml', text: lines }],
    } satisfies Omit<DeployEvidence, 'bodyLimit'>;
    const at = (bodyLimit: number) => deployPullRequest({ ...given, bodyLimit }).body;
    expect(at(100_000)).toContain('+line 399');
    const cut = at(at(100_000).length - 1_000);
    expect(cut).toMatch(/The diff is cut after \d+ of 404 lines/);
    expect(cut).toContain('## What merging touches');
    const short = at(4_000);
    expect(short).not.toContain('+line');
    expect(short).toMatch(/The evidence is cut after [\d,]+ of 3,999 characters/);
    expect(short).toContain('| AUC | 0.9000 |');
    expect(at(600)).toContain('Version **2** of **m** was approved');
    expect(at(60)).toBe(`${marker(CHANGE)}\n`);
  });
});

describe("people's text", () => {
  it.each([
    ['fixes #1', 'fixes\u200B \\#\u200B1'],
    ['ask @alice', 'ask \\@\u200Balice'],
    ['https://x.example', 'https:\u200B//x.example'],
    ['www.x.example', 'www\u200B.x.example'],
    ['GH-12 !7', 'GH-\u200B12 \\!\u200B7'],
    ['1. one', '1\\. one'],
    ['- item', '\\- item'],
    ['a\u202Eb\uD800', 'a\uFFFDb\uFFFD'],
    ['&lt;b&gt; $x$', '\\&lt;b\\&gt; \\$x\\$'],
  ])('%j is shown as it is', (said, shown) => {
    expect(plain(said)).toBe(shown);
  });

  it('keeps code to be copied, whatever it holds', () => {
    expect(code('a`b')).toBe('``a`b``');
    expect(code('`')).toBe('`` ` ``');
    expect(code(' \n ')).toBe('`–`');
    expect(fenced('a\n```\nb')).toBe('````\na\n```\nb\n````');
    expect(quote('a\r\n\r\n# b')).toBe('> a\n>\n> \\# b');
  });
});

it('counts what differs in files, and shows no line of one that is rewritten', () => {
  const long = (word: string) => Array.from({ length: 2_000 }, (_, i) => `${word} ${i}\n`).join('');
  expect(
    fileChanges(
      [
        { path: 'a', text: 'x\ny\n' },
        { path: 'b', text: long('old') },
        { path: 'c', text: 'gone' },
        { path: 'd', text: 'same' },
      ],
      [
        { path: 'a', text: 'x\nz\n' },
        { path: 'b', text: long('new') },
        { path: 'd', text: 'same' },
        { path: 'e', text: '' },
      ],
    ).map(({ path, kind, added, removed, patch }) => [path, kind, added, removed, patch.split('\n').length]),
  ).toEqual([
    ['a', 'changed', 1, 1, 4],
    ['b', 'changed', 2_000, 2_000, 1],
    ['c', 'removed', 0, 1, 3],
    ['e', 'added', 0, 0, 1],
  ]);
});

it('takes a model version from Git only when it is one', () => {
  for (const broken of ['', '{', '[]', '{"model":"m"}', 'null']) expect(readModelVersion(broken)).toBeUndefined();
});
