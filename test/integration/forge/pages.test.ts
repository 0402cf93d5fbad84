import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type GitClient, gitClient } from '../../conformance/forge/git-client.ts';
import { call, type EmbeddedForge, newRepository, SECOND, startForgeOn } from '../../conformance/forge/target.ts';

let dataDir: string;
let forge: EmbeddedForge;
let git: GitClient;
let repository: Awaited<ReturnType<typeof newRepository>>;
let dir: string;
let url: string;
let number: number;

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'fairway-forge-'));
  forge = await startForgeOn(dataDir);
  git = gitClient();
});
afterAll(async () => {
  await forge.stop();
  git.remove();
  rmSync(dataDir, { recursive: true, force: true });
});
beforeEach(async () => {
  repository = await newRepository(forge);
  dir = await git.clone(repository.cloneUrl, repository.name);
  await git.ok(dir, ['checkout', '--quiet', '-b', 'b']);
  await git.commit(dir, '<i>.txt', 'one <script>\n');
  await git.ok(dir, ['push', '--quiet', 'origin', 'b'], SECOND);
  const body = {
    head: 'b',
    base: 'main',
    title: 'Deploy <b>x</b>',
    body: '## Why\n\n<script>alert(1)</script> **bold** <!-- marker -->',
  };
  number = (await call(forge, 'POST', `${repository.api}/pulls`, { token: SECOND.token, body })).body.number;
  url = `${forge.url}/${repository.full}/pulls/${number}`;
});

const text = async (address: string) => (await fetch(address)).text();
const pull = async () => (await call(forge, 'GET', `${repository.api}/pulls/${number}`)).body;

/** The hidden fields of the page's form. */
async function form(): Promise<Record<string, string>> {
  const page = await text(url);
  return Object.fromEntries(
    [...page.matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]),
  );
}
const press = (button: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
  fetch(`${url}/${button}`, { method: 'POST', body: new URLSearchParams(fields), headers, redirect: 'manual' });

it('shows repositories, a repository and its pull requests', async () => {
  expect(await text(forge.url)).toContain(repository.full);
  const page = await text(`${forge.url}/${repository.full}`);
  expect(page).toContain('Initial commit');
  expect(page).toContain(`/pulls/${number}`);
  expect(await text(`${forge.url}/${repository.full}/pulls?state=closed`)).not.toContain(`/pulls/${number}`);
});

it('shows a pull request with everything escaped, and runs no script', async () => {
  const answer = await fetch(url);
  expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
  const page = await answer.text();
  expect(page).toContain('Deploy &lt;b&gt;x&lt;/b&gt;');
  expect(page).toContain('<h3>Why</h3>');
  expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt; <strong>bold</strong>');
  expect(page).toContain('one &lt;script&gt;');
  expect(page).not.toMatch(/<script|marker/);
});

it('merges what the person saw, in their name', async () => {
  const answer = await press('merge', await form());
  expect(answer.status).toBe(303);
  expect(answer.headers.get('location')).toBe(`/${repository.full}/pulls/${number}`);
  expect(await pull()).toMatchObject({ merged: true, merged_by: { login: 'alice' } });
  expect(await text(url)).toContain('Merged by');
});

it('does not merge what came after the page was shown', async () => {
  const seen = await form();
  await git.commit(dir, 'late.txt', 'late\n');
  await git.ok(dir, ['push', '--quiet', 'origin', 'b'], SECOND);
  const answer = await press('merge', seen);
  expect(answer.status).toBe(409);
  expect(await answer.text()).toContain('head out of date');
  expect((await pull()).state).toBe('open');
});

it('closes', async () => {
  expect((await press('close', await form())).status).toBe(303);
  expect(await pull()).toMatchObject({ state: 'closed', merged: false });
});

it('takes no form from elsewhere', async () => {
  const fields = await form();
  expect((await press('merge', { ...fields, csrf: '' })).status).toBe(403);
  expect((await press('merge', { ...fields, csrf: 'f'.repeat(64) })).status).toBe(403);
  expect((await press('merge', fields, { origin: 'http://evil.example' })).status).toBe(403);
  expect((await press('merge', { ...fields, as: 'fairway-bot' })).status).toBe(403);
  expect((await pull()).state).toBe('open');
});

it('answers a person’s wrong address with a page', async () => {
  const answer = await fetch(`${forge.url}/none/none`, { headers: { accept: 'text/html' } });
  expect(answer.status).toBe(404);
  expect(answer.headers.get('content-type')).toContain('text/html');
});

it('is healthy, ready and measured', async () => {
  expect((await fetch(`${forge.url}/healthz`)).status).toBe(200);
  expect((await fetch(`${forge.url}/readyz`)).status).toBe(200);
  const metrics = await text(`${forge.url}/metrics`);
  expect(metrics).toMatch(/^forge_requests_total\{kind="git",status="200"\} \d+$/m);
  expect(metrics).toMatch(/^forge_repositories \d+$/m);
});
