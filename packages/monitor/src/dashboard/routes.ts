import {
  asFairwayError,
  type Baseline,
  END_PHASES,
  FairwayError,
  type Logger,
  type Movement,
  type Verdict,
} from '@fairway/core';
import { type Response, Router } from 'express';
import { yardstick } from '../app/first-good.ts';
import type { References } from '../app/references.ts';
import { whatMoved } from '../moved/what-moved.ts';
import { parsePolicy } from '../policy/parse.ts';
import type { Policy } from '../policy/schema.ts';
import type { NotificationStore } from '../ports/notify.ts';
import type { DashboardStore, JudgeStore, ModelSummary, Writer } from '../ports.ts';
import { type Card, renderCards } from './cards-page.ts';
import { renderChanges } from './changes-page.ts';
import { renderHome } from './home.ts';
import { html } from './html.ts';
import { type Page, type Reason, renderPage } from './layout.ts';
import { renderModel } from './model-page.ts';

export type DashboardNeeds = {
  readonly store: DashboardStore;
  readonly verdicts: Pick<JudgeStore, 'counts' | 'firstStarts' | 'verdicts'>;
  readonly outbox: Pick<NotificationStore, 'notifications'>;
  readonly writer: Pick<Writer, 'models' | 'changes' | 'notifications'>;
  readonly references: References;
  readonly log: Logger;
};

const LAST_CARDS = 50;

/** The dashboard: read-only pages, complete without JavaScript. What the writer knows is asked for live; when it is down, a sentence says so. */
export function dashboardRoutes(needs: DashboardNeeds): Router {
  const { store, log } = needs;
  const routes = Router();
  const answer = async (response: Response, page: OpenPage) => {
    const { refresh, environment } = response.req.query;
    const why = refresh === 'off' ? undefined : (page.open ?? (await store.activity()));
    const kept = typeof environment === 'string' ? `environment=${encodeURIComponent(environment)}&` : '';
    send(response, { ...page, refresh: why === undefined ? undefined : { why, stop: `?${kept}refresh=off` } });
  };

  routes.get('/', async (_request, response) => answer(response, await homePage(needs)));
  routes.get('/models/:model', async (request, response) => {
    const wanted = request.query['environment'];
    const { model } = request.params;
    await answer(response, await modelPage(needs, model, typeof wanted === 'string' ? wanted : undefined));
  });
  routes.get('/changes', async (_request, response) => answer(response, await changesPage(needs)));
  routes.get('/cards', async (_request, response) => answer(response, await cardsPage(needs)));
  routes.use((_request, _response, next) => next(new FairwayError('model.unknown', 'There is no such page.')));
  routes.use(errorPage(log));
  return routes;
}

/** A page before it is known whether it renews itself; `open`: what on it is under way. */
type OpenPage = Omit<Page, 'refresh'> & { readonly open: Reason | undefined };

async function homePage(needs: DashboardNeeds): Promise<OpenPage> {
  const problems: string[] = [];
  const [[models, changes, theirs], judged, ours, totals] = await Promise.all([
    writerPart(needs, problems),
    needs.verdicts.verdicts({}),
    needs.outbox.notifications(LAST_CARDS),
    needs.store.totals(),
  ]);
  const known = models.length > 0 ? models : modelsOf(judged.map(({ window }) => window));
  const view = { models: known, verdicts: judged, changes, cards: [...ours, ...theirs], ...totals };
  return { title: 'Models', current: 'models', problems, open: openOf(changes), body: renderHome(view) };
}

async function changesPage(needs: DashboardNeeds): Promise<OpenPage> {
  const problems: string[] = [];
  const [[, changes], unsent] = await Promise.all([
    writerPart(needs, problems),
    needs.store.unsentRetrains(LAST_CARDS),
  ]);
  const body = renderChanges(changes, unsent);
  return { title: 'Changes', current: 'changes', problems, open: openOf(changes), body };
}

async function cardsPage(needs: DashboardNeeds): Promise<OpenPage> {
  const problems: string[] = [];
  const [[, changes, theirs], ours] = await Promise.all([
    writerPart(needs, problems),
    needs.outbox.notifications(LAST_CARDS),
  ]);
  const cards: Card[] = [
    ...ours.map((card) => ({ ...card, from: 'monitor' as const })),
    ...theirs.map((card) => ({ ...card, from: 'writer' as const })),
  ];
  const newest = cards.sort((a, b) => (a.at < b.at ? 1 : -1)).slice(0, LAST_CARDS);
  const open = openOf(changes) ?? (newest.some(({ state }) => state === 'pending') ? 'telling' : undefined);
  return { title: 'Cards', current: 'cards', problems, open, body: renderCards(newest) };
}

/** What only the writer knows; what it does not answer becomes one sentence in `problems`. */
async function writerPart({ writer }: DashboardNeeds, problems: string[]) {
  let down = false;
  const orEmpty = <T>(list: Promise<readonly T[]>): Promise<readonly T[]> =>
    list.catch((error: unknown) => {
      if (!down)
        problems.push(
          `${asFairwayError(error).message} Live versions, changes and the writer's cards are missing on this page.`,
        );
      down = true;
      return [];
    });
  return Promise.all([orEmpty(writer.models()), orEmpty(writer.changes({})), orEmpty(writer.notifications())]);
}

const openOf = (changes: ReadonlyArray<{ phase: (typeof END_PHASES)[number] }>): Reason | undefined =>
  changes.some(({ phase }) => !END_PHASES.includes(phase)) ? 'change' : undefined;

/** Models as our own verdicts know them, for when the writer is down. */
function modelsOf(windows: ReadonlyArray<{ model: string; environment: string }>): ModelSummary[] {
  const byModel = new Map<string, Set<string>>();
  for (const { model, environment } of windows) byModel.set(model, (byModel.get(model) ?? new Set()).add(environment));
  return [...byModel].map(([model, names]) => ({
    model,
    owner: '',
    environments: [...names].map((name) => ({ name, namespace: '', application: '', merge: 'review' as const })),
  }));
}

async function modelPage(needs: DashboardNeeds, model: string, wanted: string | undefined): Promise<OpenPage> {
  const problems: string[] = [];
  const [models, changes] = await writerPart(needs, problems);
  const judged = await needs.verdicts.verdicts({ model });
  const summary = models.find((one) => one.model === model);
  if (summary === undefined && judged.length === 0)
    throw new FairwayError('model.unknown', `No model is called ${model.slice(0, 70)}.`);
  const environments = [
    ...new Set([
      ...(summary?.environments.map(({ name }) => name) ?? []),
      ...judged.map(({ window }) => window.environment),
    ]),
  ];
  // Of several environments the one that was judged last is the one people come for.
  const environment = wanted ?? judged.at(-1)?.window.environment ?? environments.at(-1) ?? '';
  const verdicts = judged.filter(({ window }) => window.environment === environment);
  const file = await needs.store.policy(model);
  for (const said of [file?.problem, file?.remark]) if (said != null) problems.push(said);
  const policy = file === undefined ? undefined : usable(file.text, model);
  const baselines = await baselinesOf(needs, verdicts, policy);
  const view = {
    model,
    environment,
    environments,
    summary,
    verdicts,
    baselines,
    moved: await movedIn(needs, verdicts.at(-1), baselines),
    policy,
    policyFile: file,
  };
  return { title: model, current: 'models', problems, open: openOf(changes), body: renderModel(view) };
}

/** What moved in a window, from its counts. */
async function movedIn(
  { verdicts }: DashboardNeeds,
  newest: Verdict | undefined,
  baselines: ReadonlyMap<string, Baseline>,
): Promise<readonly Movement[] | undefined> {
  const baseline = newest === undefined ? undefined : baselines.get(newest.window.version);
  if (newest === undefined || baseline === undefined) return undefined;
  return whatMoved(await verdicts.counts(newest.window), baseline);
}

function usable(text: string, model: string): Policy | undefined {
  try {
    return parsePolicy(text, model);
  } catch {
    return undefined;
  }
}

/** What the newest window of each version is held against. */
async function baselinesOf(needs: DashboardNeeds, judged: readonly Verdict[], policy: Policy | undefined) {
  const found = new Map<string, Baseline>();
  for (const [version, window] of new Map(judged.map(({ window }) => [window.version, window]))) {
    const reference = await needs.references(window.model, version).catch(() => undefined);
    if (reference === undefined) continue;
    const { baseline } = reference;
    const held = policy === undefined ? baseline : await yardstick(needs.verdicts, window, baseline, policy);
    found.set(version, held ?? baseline);
  }
  return found;
}

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

function send(response: Response, page: Page, status = 200): void {
  response.status(status).set(HEADERS).type('html').send(renderPage(page));
}

function errorPage(log: Logger) {
  // Express knows an error handler by its four parameters.
  return (thrown: unknown, _request: unknown, response: Response, _next: unknown) => {
    const { code, message } = asFairwayError(thrown);
    const missing = code === 'model.unknown';
    if (!missing) log.warn({ code, reason: message }, 'page not shown');
    const body = html`<h1>${missing ? 'Not found' : 'This page cannot be shown now'}</h1><p class="lead">${message}</p><p><a href="/">Back to the models</a></p>`;
    const page = {
      title: missing ? 'Not found' : 'Not available',
      current: undefined,
      problems: [],
      refresh: undefined,
      body,
    };
    send(response, page, missing ? 404 : 503);
  };
}
