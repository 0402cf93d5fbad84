import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { html, type Html } from '../../web/html.ts';
import { page, refuse, statusOf } from '../../web/http.ts';
import type { Call, Reply, Route } from '../../web/router.ts';
import { pullDiff } from '../api/pulls.ts';
import { type Forge, pullOf, type Repository, repositoryOf } from '../forge.ts';
import { mergePull } from '../merge.ts';
import { editPull } from '../pulls.ts';
import type { User } from '../users.ts';
import { layout } from './layout.ts';
import { pullPage } from './pull.ts';
import { repositoriesPage, repositoryPage } from './repository.ts';

const PULL = '/:owner/:repo/pulls/:number';

/** The pages for people. Their two buttons act in the name of a `person` of the users file; there is no login on one machine. */
export function pageRoutes(forge: Forge): Route[] {
  const key = randomBytes(32);
  /** Ties a form to the page it came from, so that no other site can press the button. */
  const tokenOf = (repository: Repository, number: number) =>
    createHmac('sha256', key).update(`${repository.owner}/${repository.name}#${number}`).digest('hex');
  const show = async (call: Call, status: number, notice?: string): Promise<Reply> => {
    const repository = repositoryIn(forge, call);
    const pull = pullOf(repository, call.params['number']);
    return page(status, await pullPage(forge, repository, pull, tokenOf(repository, pull.number), notice));
  };
  const act = (step: Step) => async (call: Call) => {
    const repository = repositoryIn(forge, call);
    const { number } = pullOf(repository, call.params['number']);
    const form = new URLSearchParams((await call.body()).toString('utf8'));
    try {
      checkOrigin(call, form.get('csrf') ?? '', tokenOf(repository, number));
      await step(repository, number, personOf(forge, form), form);
    } catch (error) {
      const status = statusOf(error);
      if (status === undefined) throw error;
      return show(call, status, (error as Error).message);
    }
    return { status: 303, headers: { location: `/${repository.owner}/${repository.name}/pulls/${number}` } };
  };
  return [
    { method: 'GET', path: '/', answer: () => page(200, repositoriesPage(forge)) },
    { method: 'GET', path: '/:owner/:repo', answer: (call) => showRepository(forge, call) },
    { method: 'GET', path: '/:owner/:repo/pulls', answer: (call) => showRepository(forge, call) },
    { method: 'GET', path: PULL, answer: (call) => rawDiff(forge, call) ?? show(call, 200) },
    { method: 'POST', path: `${PULL}/merge`, answer: act(merge(forge)) },
    { method: 'POST', path: `${PULL}/close`, answer: act(closePull(forge)) },
  ];
}

type Step = (repository: Repository, number: number, person: User, form: URLSearchParams) => Promise<void>;

const merge =
  (forge: Forge): Step =>
  (repository, number, person, form) =>
    mergePull(forge, repository, person, number, {
      style: 'merge',
      // What the person saw is what is merged.
      headCommit: form.get('head_commit_id') || refuse(400, 'The form names no head commit: reload the page.'),
      deleteBranch: true,
    });

const closePull =
  (forge: Forge): Step =>
  (repository, number, person) =>
    editPull(forge, repository, person, number, { state: 'closed' });

const repositoryIn = (forge: Forge, { params }: Call) => repositoryOf(forge, params['owner'], params['repo']);

async function showRepository(forge: Forge, call: Call): Promise<Reply> {
  return page(200, await repositoryPage(forge, repositoryIn(forge, call), call.query.get('state') ?? 'all'));
}

/** `/pulls/7.diff` and `.patch`, as Gitea links them. */
function rawDiff(forge: Forge, call: Call): Promise<Reply> | undefined {
  const [, number] = /^(\d+)\.(?:diff|patch)$/.exec(call.params['number'] ?? '') ?? [];
  if (number === undefined) return undefined;
  const repository = repositoryIn(forge, call);
  return pullDiff(forge, repository, pullOf(repository, number), false);
}

function personOf(forge: Forge, form: URLSearchParams): User {
  const persons = forge.users.all.filter(({ person }) => person);
  const named = form.get('as');
  const person = named === null ? persons[0] : persons.find(({ name }) => name === named);
  return person ?? refuse(403, 'No such person may press this button: mark a user of FORGE_USERS with "person": true.');
}

function checkOrigin({ request }: Call, sent: string, wanted: string): void {
  const { origin, host } = request.headers;
  const [a, b] = [Buffer.from(sent), Buffer.from(wanted)];
  const foreign = origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host);
  if (foreign || a.length !== b.length || !timingSafeEqual(a, b)) {
    refuse(403, 'The form is not from this page, or the forge was started anew since: look at the pull request again.');
  }
}

/** A refusal as a page. */
export const failedPage = (status: number, message: string): Reply =>
  page(status, layout(`${status}`, [], notFound(status, message)));

const notFound = (status: number, message: string): Html => html`<h1>${status}</h1><p class="notice">${message}</p>`;
