import { generateKeyPairSync } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { type GitClient, gitClient } from '../../conformance/forge/git-client.ts';
import { startGithub } from '../../harness/forges/github.ts';
import { GITLAB_USERS, startGitlab } from '../../harness/forges/gitlab.ts';
import { closePull, type FakeRepository, mergePull } from '../../harness/forges/repository.ts';
import { startWriter } from '../../harness/writer-process.ts';
import { registerVersion } from '../writer/model.ts';
import { approve, MODEL, startWorld, type World } from '../writer/world.ts';

/** The writer as it is shipped, against the fakes of GitHub (as an App of an Enterprise Server) and GitLab. */

type Place = {
  readonly repository: FakeRepository;
  readonly env: Readonly<Record<string, string>>;
  readonly stop: () => Promise<void>;
};

async function github(): Promise<Place> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const app = { id: '4711', installationId: '99', publicKey, tokenMs: 3_600_000, tokens: new Set<string>() };
  const server = await startGithub({ enterprise: true, app });
  const repository = await server.newRepository('bank/gitops');
  const env = {
    FORGE: 'github',
    FORGE_URL: server.url,
    FORGE_TOKEN: '',
    GITHUB_APP_ID: app.id,
    GITHUB_APP_INSTALLATION_ID: app.installationId,
    GITHUB_APP_PRIVATE_KEY: privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
  };
  return { repository, env, stop: server.stop };
}

async function gitlab(): Promise<Place> {
  const server = await startGitlab();
  const repository = await server.newProject('bank/risk/gitops');
  const env = { FORGE: 'gitlab', FORGE_URL: server.url, FORGE_TOKEN: GITLAB_USERS['fairway-bot'] };
  return { repository, env, stop: server.stop };
}

const stops: Array<() => Promise<void> | void> = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** A world whose writer works on the fake's repository, which gets what the embedded forge's was seeded with. */
async function worldOn({ repository, env, stop }: Place, git: GitClient): Promise<World> {
  const world = await startWorld({
    writer: async (given) => {
      const folder = await git.clone(given['GIT_URL'] ?? '', `seed${repository.id}`, {
        name: given['GIT_USER'] ?? '',
        token: given['FORGE_TOKEN'] ?? '',
      });
      await git.ok(folder, ['push', '--quiet', '--force', repository.dir, 'HEAD:refs/heads/main']);
      const place = { GIT_URL: `file://${repository.dir}`, FORGE_REPOSITORY: repository.full };
      return startWriter({ ...given, ...place, ...env });
    },
  });
  stops.push(world.stop, stop);
  return world;
}

describe.each([
  ['GitHub', github],
  ['GitLab', gitlab],
])('the writer on %s', (_name, start) => {
  it('proposes, is told no, and merges by itself where it may', async () => {
    const git = gitClient();
    stops.push(git.remove);
    const place = await start();
    const { repository } = place;
    const world = await worldOn(place, git);
    for (const version of ['1', '2']) await registerVersion(world.registry, MODEL, version, Number(version));

    const { body } = await approve(world, '1', 'prod', 'event-1');
    const proposed = await world.until(body.change.id, ({ phase }) => phase === 'proposed');
    const [first] = repository.pulls;
    expect(first).toMatchObject({
      number: proposed.pullRequest?.number,
      title: 'Deploy home-equity 1 to prod',
      headSha: proposed.pullRequest?.headSha,
      labels: ['fairway', 'fairway/deploy', 'fairway/review'],
    });
    expect(first?.body).toContain(`<!-- fairway:change=${body.change.id} -->`);
    expect(repository.statuses.get(first?.headSha ?? '')).toMatchObject([
      { context: 'fairway/approval', state: 'success' },
    ]);
    if (first !== undefined) closePull(first, 'ann');
    await world.until(body.change.id, ({ phase }) => phase === 'rejected');

    const second = await approve(world, '2', 'prod', 'event-2');
    await world.until(second.body.change.id, ({ phase }) => phase === 'proposed');
    const reviewed = repository.pulls.find(({ state }) => state === 'open');
    await git.ok(repository.dir, ['branch', 'release', 'main']);
    if (reviewed !== undefined) reviewed.base = 'release';
    const strayed = await world.until(second.body.change.id, ({ reason }) =>
      /goes to branch release/.test(reason ?? ''),
    );
    expect(strayed.phase).toBe('proposed');
    expect(reviewed?.comments.map(({ text }) => text)).toEqual([expect.stringContaining('Set its base back')]);
    if (reviewed !== undefined) reviewed.base = 'main';
    await world.until(second.body.change.id, ({ reason }) => /waits for its merge/.test(reason ?? ''));
    if (reviewed !== undefined) await mergePull(repository, reviewed, 'ann', 'Merged by Ann');
    const merged = await world.until(second.body.change.id, ({ phase }) => phase === 'merged');
    expect(merged.pullRequest?.mergeCommit).toBe(reviewed?.mergeCommit);

    // Merged where nothing is deployed from: that is no deployment, whatever the forge calls it.
    const stray = await approve(world, '1', 'prod', 'event-stray');
    await world.until(stray.body.change.id, ({ phase }) => phase === 'proposed');
    const away = repository.pulls.find(({ state }) => state === 'open');
    if (away !== undefined) {
      away.base = 'release';
      await mergePull(repository, away, 'ann', 'Merged by Ann');
    }
    const lost = await world.until(stray.body.change.id, ({ phase }) => phase === 'failed');
    expect(lost.reason).toContain('was pointed to branch release and merged there');

    const third = await approve(world, '2', 'dev', 'event-3');
    const own = await world.until(third.body.change.id, ({ phase }) => phase === 'merged');
    expect(repository.pulls.find(({ number }) => number === own.pullRequest?.number)).toMatchObject({
      state: 'merged',
      endedBy: expect.stringContaining('fairway'),
    });
    expect(world.output()).not.toMatch(/PRIVATE KEY|ghs_|glpat-/);
  });
});
