import { json, refuse } from '../../web/http.ts';
import type { Call, Reply, Route } from '../../web/router.ts';
import { type Forge, type Repository, repositoryOf } from '../forge.ts';
import { tellMovedHeads } from '../notices.ts';
import { blob, branches, branchesNamed, type Commit, commits, entries, type Entry, resolve } from '../objects.ts';
import { commitPayload, repositoryPayload, timeOf, userPayload, webBase } from '../payloads.ts';
import { createRepository } from '../repositories.ts';
import type { Signed } from './signed.ts';
import { empty, paged, readFields } from './input.ts';

/** What this forge answers as its version: the Gitea release whose API it follows. */
const GITEA_VERSION = '1.24.0';

export const repositoryRoutes = (forge: Forge, signed: Signed): Route[] => [
  { method: 'GET', path: '/version', answer: () => json(200, { version: GITEA_VERSION }) },
  { method: 'GET', path: '/user', answer: signed(({ user }) => json(200, userPayload(forge, user.name))) },
  {
    method: 'POST',
    path: '/user/repos',
    answer: signed(async ({ user, call }) => {
      const wanted = await readFields(call);
      const repository = await createRepository(forge, user, {
        name: wanted.required('name'),
        description: wanted.text('description') ?? '',
        autoInit: wanted.flag('auto_init'),
        defaultBranch: wanted.text('default_branch') || 'main',
      });
      return json(201, repositoryPayload(forge, repository));
    }),
  },
  {
    method: 'GET',
    path: '/repos/:owner/:repo',
    answer: ({ params }) => json(200, repositoryPayload(forge, repositoryOf(forge, params['owner'], params['repo']))),
  },
  { method: 'GET', path: '/repos/:owner/:repo/branches', answer: (call) => listBranches(forge, call) },
  { method: 'GET', path: '/repos/:owner/:repo/branches/*branch', answer: (call) => getBranch(forge, call) },
  {
    method: 'DELETE',
    path: '/repos/:owner/:repo/branches/*branch',
    answer: signed(async ({ user, repository, params }) => {
      const branch = params['branch'] ?? '';
      const sha = (await branchesNamed(forge.git(repository), [branch]))[branch];
      if (sha === undefined) refuse(404, "The target couldn't be found.");
      if (branch === repository.defaultBranch) refuse(403, 'can not delete default branch');
      await forge.git(repository).run(['update-ref', '-d', `refs/heads/${branch}`]);
      await tellMovedHeads(forge, repository, user);
      return empty(204);
    }),
  },
  { method: 'GET', path: '/repos/:owner/:repo/contents', answer: (call) => contents(forge, call) },
  { method: 'GET', path: '/repos/:owner/:repo/contents/*path', answer: (call) => contents(forge, call) },
  { method: 'GET', path: '/repos/:owner/:repo/raw/*path', answer: (call) => rawFile(forge, call) },
];

async function listBranches(forge: Forge, call: Call): Promise<Reply> {
  const repository = repositoryOf(forge, call.params['owner'], call.params['repo']);
  const heads = Object.entries(await branches(forge.git(repository)));
  const { items, headers } = paged(call, heads);
  return json(200, await Promise.all(items.map(([name, sha]) => branchPayload(forge, repository, name, sha))), headers);
}

async function getBranch(forge: Forge, { params }: Call): Promise<Reply> {
  const repository = repositoryOf(forge, params['owner'], params['repo']);
  const name = params['branch'] ?? '';
  const sha = (await branchesNamed(forge.git(repository), [name]))[name];
  if (sha === undefined) return refuse(404, "The target couldn't be found.");
  return json(200, await branchPayload(forge, repository, name, sha));
}

async function branchPayload(forge: Forge, repository: Repository, name: string, sha: string) {
  const [commit] = await commits(forge.git(repository), sha, 1);
  const { message, author, committer } = commit as Commit;
  const who = (person: Commit['author']) => ({ name: person.name, email: person.email, username: '' });
  return {
    name,
    commit: {
      id: sha,
      message,
      url: `${webBase(forge, repository)}/commit/${sha}`,
      author: who(author),
      committer: who(committer),
      verification: null,
      timestamp: timeOf(committer.date),
      added: null,
      removed: null,
      modified: null,
    },
    protected: false,
    required_approvals: 0,
    enable_status_check: false,
    status_check_contexts: [],
    user_can_push: true,
    user_can_merge: true,
    effective_branch_protection_name: '',
  };
}

/** The commit of `?ref=` (a branch, tag or id; the default branch without), or 404. */
async function commitOf(forge: Forge, repository: Repository, call: Call): Promise<{ ref: string; sha: string }> {
  const ref = call.query.get('ref') || repository.defaultBranch;
  const sha = await resolve(forge.git(repository), ref);
  return sha === undefined ? refuse(404, `object does not exist [id: ${ref}, rel_path: ]`) : { ref, sha };
}

async function contents(forge: Forge, call: Call): Promise<Reply> {
  const repository = repositoryOf(forge, call.params['owner'], call.params['repo']);
  const path = (call.params['path'] ?? '').replace(/\/$/, '');
  const { ref, sha } = await commitOf(forge, repository, call);
  const git = forge.git(repository);
  const [itself] = path === '' ? [] : await entries(git, sha, path, false);
  if (path !== '' && !itself) refuse(404, `object does not exist [id: , rel_path: ${path}]`);
  const show = (entry: Entry) => entryPayload(forge, repository, ref, sha, entry);
  if (itself?.type === 'blob') {
    return json(200, {
      ...show(itself),
      encoding: 'base64',
      content: (await blob(git, itself.sha)).toString('base64'),
    });
  }
  return json(200, (await entries(git, sha, path, true)).map(show));
}

function entryPayload(forge: Forge, repository: Repository, ref: string, commit: string, entry: Entry) {
  const path = entry.path.split('/').map(encodeURIComponent).join('/');
  const api = `${forge.url}/api/v1/repos/${repository.owner}/${repository.name}`;
  const file = entry.type === 'blob';
  const url = `${api}/contents/${path}?ref=${encodeURIComponent(ref)}`;
  const gitUrl = `${api}/git/${file ? 'blobs' : 'trees'}/${entry.sha}`;
  const htmlUrl = `${webBase(forge, repository)}/src/branch/${ref}/${path}`;
  return {
    name: entry.path.split('/').at(-1),
    path: entry.path,
    sha: entry.sha,
    last_commit_sha: commit,
    type: { blob: 'file', tree: 'dir', commit: 'submodule' }[entry.type],
    size: entry.size,
    encoding: null,
    content: null,
    target: null,
    url,
    html_url: htmlUrl,
    git_url: gitUrl,
    download_url: file ? `${api}/raw/${path}?ref=${encodeURIComponent(ref)}` : null,
    submodule_git_url: null,
    _links: { self: url, git: gitUrl, html: htmlUrl },
  };
}

async function rawFile(forge: Forge, call: Call): Promise<Reply> {
  const repository = repositoryOf(forge, call.params['owner'], call.params['repo']);
  const { sha } = await commitOf(forge, repository, call);
  const path = call.params['path'] ?? '';
  const [entry] = await entries(forge.git(repository), sha, path, false);
  if (entry?.type !== 'blob') return refuse(404, `object does not exist [id: , rel_path: ${path}]`);
  const body = await blob(forge.git(repository), entry.sha);
  const type = body.subarray(0, 8_000).includes(0) ? 'application/octet-stream' : 'text/plain; charset=utf-8';
  return { status: 200, headers: { 'content-type': type, 'x-content-type-options': 'nosniff' }, body };
}

export const commitsReply = (forge: Forge, repository: Repository, call: Call, list: readonly Commit[]): Reply => {
  const { items, headers } = paged(call, list);
  return json(
    200,
    items.map((commit) => commitPayload(forge, repository, commit)),
    headers,
  );
};
