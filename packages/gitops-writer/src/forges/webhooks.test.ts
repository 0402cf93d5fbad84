import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { DeliveryHeaders, WebhookReader } from '../ports.ts';
import { giteaWebhook } from './gitea/webhook.ts';
import { githubWebhook } from './github/webhook.ts';
import { gitlabWebhook } from './gitlab/webhook.ts';

const NOW = Date.parse('2026-11-02T10:00:00Z');
const KEY = `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`;
const OTHER_KEY = `whsec_${Buffer.from('fedcba9876543210fedcba9876543210').toString('base64')}`;

const hex = (body: Buffer, secret: string) => createHmac('sha256', secret).update(body).digest('hex');
const hub = (body: Buffer, secret: string) => `sha256=${hex(body, secret)}`;
const standard = (body: Buffer, secret: string, at = NOW, id = 'msg_1') => {
  const key = Buffer.from(secret.slice(6), 'base64');
  const signed = Buffer.concat([Buffer.from(`${id}.${at / 1_000}.`), body]);
  return {
    'webhook-id': id,
    'webhook-timestamp': String(at / 1_000),
    'webhook-signature': `v1,${createHmac('sha256', key).update(signed).digest('base64')}`,
  };
};

type Scheme = {
  readonly reader: WebhookReader;
  readonly secrets: readonly [string, string];
  readonly sign: (body: Buffer, secret: string) => DeliveryHeaders;
  /** Headers that hold the proof, so that a test can spoil them. */
  readonly proof: string;
  /** Whether the proof depends on the body; a plain token does not. */
  readonly covers: boolean;
};

const WORDS = ['first-secret-of-it', 'second-secret-of-it'] as const;
const SCHEMES: Readonly<Record<string, Scheme>> = {
  GitHub: {
    reader: githubWebhook,
    secrets: WORDS,
    sign: (body, secret) => ({
      'x-github-event': 'push',
      'x-github-delivery': 'd1',
      'x-hub-signature-256': hub(body, secret),
    }),
    proof: 'x-hub-signature-256',
    covers: true,
  },
  Gitea: {
    reader: giteaWebhook,
    secrets: WORDS,
    sign: (body, secret) => ({
      'x-gitea-event': 'push',
      'x-github-event': 'push',
      'x-gitea-delivery': 'd1',
      'x-gitea-signature': hex(body, secret),
    }),
    proof: 'x-gitea-signature',
    covers: true,
  },
  Forgejo: {
    reader: giteaWebhook,
    secrets: WORDS,
    sign: (body, secret) => ({
      'x-forgejo-event': 'push',
      'x-gitea-event': 'push',
      'x-forgejo-delivery': 'd1',
      'x-forgejo-signature': hex(body, secret),
    }),
    proof: 'x-forgejo-signature',
    covers: true,
  },
  "Gitea in GitHub's words": {
    reader: giteaWebhook,
    secrets: WORDS,
    sign: (body, secret) => ({
      'x-gitea-event': 'push',
      'x-gitea-delivery': 'd1',
      'x-hub-signature-256': hub(body, secret),
    }),
    proof: 'x-hub-signature-256',
    covers: true,
  },
  'GitLab (token)': {
    reader: gitlabWebhook,
    secrets: WORDS,
    sign: (_body, secret) => ({ 'x-gitlab-event': 'Push Hook', 'idempotency-key': 'd1', 'x-gitlab-token': secret }),
    proof: 'x-gitlab-token',
    covers: false,
  },
  'GitLab (signing token)': {
    reader: gitlabWebhook,
    secrets: [KEY, OTHER_KEY],
    sign: (body, secret) => ({ 'x-gitlab-event': 'Push Hook', ...standard(body, secret, NOW, 'd1') }),
    proof: 'webhook-signature',
    covers: true,
  },
};

const BODY = Buffer.from('{"ref":"refs/heads/fairway/deploy/m/dev/1","text":"ü\\n"}');

describe.each(Object.entries(SCHEMES))('%s', (_name, { reader, secrets, sign, proof, covers }) => {
  const [first, second] = secrets;
  const read = (body: Buffer, headers: DeliveryHeaders, known: readonly string[] = [first]) =>
    reader.read(body, headers, known, NOW);

  it('accepts what is signed, with its id and its branch', () => {
    const verdict = { kind: 'accepted', id: 'd1', branches: ['fairway/deploy/m/dev/1'] };
    expect(read(BODY, sign(BODY, first))).toEqual(verdict);
    expect(read(BODY, sign(BODY, second), [first, second])).toEqual(verdict);
    expect(read(BODY, sign(BODY, first), ['', second, first])).toEqual(verdict);
  });

  it('refuses another secret, none, and an empty one', () => {
    for (const [signed, known] of [
      [second, [first]],
      [first, []],
      [first, ['']],
    ] as const) {
      expect(read(BODY, sign(BODY, signed), known).kind).toBe('refused');
    }
    if (proof !== 'webhook-signature') expect(read(BODY, sign(BODY, ''), ['']).kind).toBe('refused');
  });

  it('refuses a spoilt proof of any length', () => {
    const headers = sign(BODY, first);
    const good = headers[proof] ?? '';
    const flipped = good.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    const spoilt = [
      undefined,
      '',
      ' ',
      'x',
      good.slice(0, -1),
      good.slice(1),
      `${good}0`,
      good.repeat(2),
      'ü'.repeat(good.length),
      flipped,
    ];
    for (const wrong of spoilt) expect(read(BODY, { ...headers, [proof]: wrong }).kind).toBe('refused');
  });

  it.runIf(covers)(
    'refuses a body that was changed by one byte (skipped where a token alone proves the sender)',
    () => {
      const headers = sign(BODY, first);
      for (let i = 0; i < BODY.length; i++) {
        const changed = Buffer.from(BODY);
        changed[i] = (changed[i] ?? 0) ^ 1;
        expect(read(changed, headers).kind).toBe('refused');
      }
      expect(read(Buffer.concat([BODY, Buffer.from(' ')]), headers).kind).toBe('refused');
      expect(read(Buffer.alloc(0), headers).kind).toBe('refused');
    },
  );

  it('accepts anything that is signed, and takes no branch from what it does not know', () => {
    for (const text of ['', '{', '[]', 'null', '"x"', '{"ref":5}', '{"pull_request":{"head":[]}}', '{"zen":"x"}']) {
      const body = Buffer.from(text);
      expect(read(body, sign(body, first))).toEqual({ kind: 'accepted', id: 'd1', branches: [] });
    }
  });

  it('names a delivery without an id after its bytes', () => {
    const {
      'x-github-delivery': _a,
      'x-gitea-delivery': _b,
      'x-forgejo-delivery': _c,
      'idempotency-key': _d,
      ...rest
    } = sign(BODY, first);
    const verdict = read(BODY, rest);
    if (proof !== 'webhook-signature') expect(verdict).toMatchObject({ id: expect.stringMatching(/^[0-9a-f]{64}$/) });
  });
});

describe('whose delivery it is', () => {
  it('Gitea and Forgejo are told from GitHub by their own headers', () => {
    const github = { 'x-github-event': 'push', 'x-hub-signature-256': hub(BODY, 's') };
    expect(githubWebhook.read(BODY, github, ['s'], NOW).kind).toBe('accepted');
    for (const name of ['x-gitea-event', 'x-forgejo-event', 'x-gogs-event', 'x-gitea-delivery']) {
      expect(githubWebhook.read(BODY, { ...github, [name]: 'push' }, ['s'], NOW).kind).toBe('refused');
      expect(giteaWebhook.read(BODY, { ...github, [name]: 'push' }, ['s'], NOW).kind).toBe('accepted');
    }
    expect(giteaWebhook.read(BODY, github, ['s'], NOW).kind).toBe('refused');
  });

  it("GitHub's SHA-1 signature is not enough", () => {
    const sha1 = `sha1=${createHmac('sha1', 's').update(BODY).digest('hex')}`;
    const headers = { 'x-github-event': 'push', 'x-hub-signature': sha1, 'x-hub-signature-256': sha1 };
    expect(githubWebhook.read(BODY, headers, ['s'], NOW).kind).toBe('refused');
  });
});

describe("GitLab's signing token", () => {
  const read = (headers: DeliveryHeaders, secrets: readonly string[] = [KEY], now = NOW) =>
    gitlabWebhook.read(BODY, headers, secrets, now);

  it.each([
    [-300_000, 'accepted'],
    [-301_000, 'refused'],
    [300_000, 'accepted'],
    [301_000, 'refused'],
  ])('signed %i ms from now is %s', (offset, kind) => {
    expect(read(standard(BODY, KEY, NOW + offset)).kind).toBe(kind);
  });

  it('may stand among several signatures', () => {
    const mine = standard(BODY, KEY);
    const others = `v2,abc v1,${'A'.repeat(44)}`;
    expect(read({ ...mine, 'webhook-signature': `${others} ${mine['webhook-signature']}` }).kind).toBe('accepted');
    expect(read({ ...mine, 'webhook-signature': others }).kind).toBe('refused');
  });

  it('signs id and time as well', () => {
    const mine = standard(BODY, KEY);
    expect(read({ ...mine, 'webhook-id': 'msg_2' }).kind).toBe('refused');
    expect(read({ ...mine, 'webhook-timestamp': String(NOW / 1_000 + 1) }).kind).toBe('refused');
    for (const timestamp of ['', 'now', '-1', '1e9', String(NOW)])
      expect(read({ ...mine, 'webhook-timestamp': timestamp }).kind).toBe('refused');
  });

  it('is never taken as a plain token, nor a plain token as a key', () => {
    expect(read({ 'x-gitlab-token': KEY }).kind).toBe('refused');
    expect(read(standard(BODY, 'plain!'.repeat(8)), ['plain!'.repeat(8)]).kind).toBe('refused');
  });

  it.each([['whsec_'], ['whsec_!!!!'], [`whsec_${Buffer.from('short').toString('base64')}`]])(
    '%s is no key',
    (secret) => expect(read(standard(BODY, secret), [secret]).kind).toBe('refused'),
  );

  it('works beside a plain token while one replaces the other', () => {
    for (const headers of [standard(BODY, KEY), { 'x-gitlab-token': 'old-token' }])
      expect(read(headers, ['old-token', KEY]).kind).toBe('accepted');
  });
});

const gitlabMr = { object_kind: 'merge_request', object_attributes: { source_branch: 'b', target_branch: 'main' } };
it.each([
  ['GitHub', 'pull_request', { action: 'closed', pull_request: { head: { ref: 'b' }, base: { ref: 'main' } } }, ['b']],
  ['GitHub', 'pull_request_review', { review: {}, pull_request: { head: { ref: 'a/b' } } }, ['a/b']],
  ['GitHub', 'push', { ref: 'refs/heads/a/b', before: '0', after: '1' }, ['a/b']],
  ['GitHub', 'push of a tag', { ref: 'refs/tags/v1' }, []],
  ['GitHub', 'create of a tag', { ref: 'v1', ref_type: 'tag' }, []],
  ['GitHub', 'delete', { ref: 'b', ref_type: 'branch' }, ['b']],
  ['GitHub', 'status', { sha: '1', state: 'success', branches: [{ name: 'b' }, { name: 'main' }, {}] }, ['b', 'main']],
  ['GitHub', 'check_suite', { check_suite: { head_branch: 'b' } }, ['b']],
  ['GitHub', 'check_run', { check_run: { check_suite: { head_branch: 'b' } } }, ['b']],
  ['GitHub', 'issue_comment', { issue: { number: 5, pull_request: {} } }, []],
  ['Gitea', 'pull_request', { pull_request: { head: { label: 'a/b', ref: 'refs/pull/5/head' } } }, ['a/b']],
  ['Gitea', 'pull_request of an old release', { pull_request: { head: { ref: 'b' } } }, ['b']],
  ['Gitea', 'push', { ref: 'refs/heads/b' }, ['b']],
  ['Gitea', 'delete of a tag', { ref: 'v1', ref_type: 'tag' }, []],
  ['GitLab (token)', 'merge_request', gitlabMr, ['b']],
  ['GitLab (token)', 'note', { object_kind: 'note', merge_request: { source_branch: 'b' } }, ['b']],
  ['GitLab (token)', 'push', { object_kind: 'push', ref: 'refs/heads/b' }, ['b']],
  ['GitLab (token)', 'tag_push', { object_kind: 'tag_push', ref: 'refs/tags/v1' }, []],
  ['GitLab (token)', 'pipeline', { object_kind: 'pipeline', object_attributes: { ref: 'b', tag: false } }, ['b']],
  ['GitLab (token)', 'pipeline of a tag', { object_kind: 'pipeline', object_attributes: { ref: 'v1', tag: true } }, []],
  ['GitLab (token)', 'emoji', { object_kind: 'emoji' }, []],
])('%s: %s is about %j', (name, _event, payload, branches) => {
  const { reader, sign, secrets } = SCHEMES[name] as Scheme;
  const body = Buffer.from(JSON.stringify(payload));
  expect(reader.read(body, sign(body, secrets[0]), secrets, NOW)).toMatchObject({ kind: 'accepted', branches });
});
