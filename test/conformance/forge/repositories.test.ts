import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, newRepository, startTarget, type Target } from './target.ts';

let forge: Target;
beforeAll(async () => {
  forge = await startTarget();
});
afterAll(() => forge.stop());

describe('who may do what', () => {
  it('tells its version to anybody', async () => {
    const { status, body } = await call(forge, 'GET', '/version');
    expect(status).toBe(200);
    expect(body.version).toMatch(/^\d+\.\d+\.\d+/);
  });

  it.each([
    ['token', (t: Target) => `token ${t.owner.token}`],
    ['Bearer', (t: Target) => `Bearer ${t.owner.token}`],
    ['Basic', (t: Target) => `Basic ${Buffer.from(`${t.owner.name}:${t.owner.token}`).toString('base64')}`],
  ])('knows the user by %s', async (_, authorization) => {
    const { status, body } = await call(forge, 'GET', '/user', { authorization: authorization(forge) });
    expect(status).toBe(200);
    expect(body.login).toBe(forge.owner.name);
  });

  it('refuses wrong credentials everywhere, with JSON', async () => {
    const repository = await newRepository(forge);
    for (const path of ['/user', repository.api]) {
      const { status, body } = await call(forge, 'GET', path, { token: 'not-a-token' });
      expect(status).toBe(401);
      expect(body).toMatchObject({ message: expect.any(String), url: expect.any(String) });
    }
  });

  it('lets nobody write without a token, and anybody read', async () => {
    const repository = await newRepository(forge);
    expect((await call(forge, 'POST', '/user/repos', { body: { name: 'x' } })).status).toBe(401);
    const comment = { body: { body: 'x' } };
    expect((await call(forge, 'POST', `${repository.api}/issues/1/comments`, comment)).status).toBe(401);
    expect((await call(forge, 'GET', repository.api)).status).toBe(200);
  });
});

describe('repositories', () => {
  it('are created with a first commit on the wanted branch', async () => {
    const repository = await newRepository(forge);
    const { body } = await call(forge, 'GET', repository.api);
    expect(body).toMatchObject({
      name: repository.name,
      full_name: repository.full,
      owner: { login: forge.owner.name },
      default_branch: 'main',
      empty: false,
      private: false,
      clone_url: expect.stringMatching(/\.git$/),
    });
    const branch = await call(forge, 'GET', `${repository.api}/branches/main`);
    expect(branch.body).toMatchObject({ name: 'main', commit: { id: expect.stringMatching(/^[0-9a-f]{40}$/) } });
  });

  it('may be empty', async () => {
    const repository = await newRepository(forge, false);
    expect((await call(forge, 'GET', repository.api)).body).toMatchObject({ empty: true, default_branch: 'main' });
  });

  it('exist once', async () => {
    const { name } = await newRepository(forge);
    const again = await call(forge, 'POST', '/user/repos', { token: forge.owner.token, body: { name } });
    expect(again.status).toBe(409);
    expect(again.body.message).toContain('already exists');
  });

  it('need a usable name', async () => {
    for (const name of ['', 'a/b', '../x', 'x.git']) {
      const { status } = await call(forge, 'POST', '/user/repos', { token: forge.owner.token, body: { name } });
      expect(status, name).toBe(422);
    }
  });

  it('that do not exist are 404', async () => {
    const { status, body } = await call(forge, 'GET', `/repos/${forge.owner.name}/none`);
    expect(status).toBe(404);
    expect(body.message).toEqual(expect.any(String));
  });
});

describe('contents', () => {
  it('of a file come as base64, and raw', async () => {
    const { api, name } = await newRepository(forge);
    const { status, body } = await call(forge, 'GET', `${api}/contents/README.md?ref=main`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      type: 'file',
      path: 'README.md',
      encoding: 'base64',
      sha: expect.stringMatching(/^[0-9a-f]{40}$/),
    });
    const text = Buffer.from(body.content, 'base64').toString('utf8');
    expect(text).toContain(name);
    expect((await call(forge, 'GET', `${api}/raw/README.md?ref=main`)).text).toBe(text);
  });

  it('of a folder come as a list', async () => {
    const { api } = await newRepository(forge);
    const { body } = await call(forge, 'GET', `${api}/contents?ref=main`);
    expect(body).toEqual([expect.objectContaining({ type: 'file', path: 'README.md', name: 'README.md' })]);
  });

  it('of a path, branch or file that is not there are 404', async () => {
    const { api } = await newRepository(forge);
    for (const path of ['contents/none.txt', 'contents/README.md?ref=none', 'raw/none.txt']) {
      expect((await call(forge, 'GET', `${api}/${path}`)).status, path).toBe(404);
    }
  });
});

describe('branches', () => {
  it('are listed with the number of all', async () => {
    const { api } = await newRepository(forge);
    const { body, headers } = await call(forge, 'GET', `${api}/branches`);
    expect(body.map((branch) => branch.name)).toEqual(['main']);
    expect(headers.get('x-total-count')).toBe('1');
  });

  it('that do not exist are 404, the default one cannot be deleted', async () => {
    const { api } = await newRepository(forge);
    const { token } = forge.owner;
    expect((await call(forge, 'GET', `${api}/branches/none`)).status).toBe(404);
    expect((await call(forge, 'DELETE', `${api}/branches/none`, { token })).status).toBe(404);
    expect((await call(forge, 'DELETE', `${api}/branches/main`, { token })).status).toBe(403);
  });
});
