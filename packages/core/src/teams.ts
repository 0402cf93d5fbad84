/** Colour of a card: Adaptive Cards know names only, no RGB. */
export type CardTone = 'default' | 'good' | 'warning' | 'attention' | 'accent';

/** What a card says. All text is plain: Markdown specials are escaped here, so model and feature names arrive as written. */
export type CardContent = {
  /** What happened, e.g. `drift.alert`; printed as fact `Event`. */
  readonly event: string;
  readonly title: string;
  /** Paragraphs parted by line feeds. */
  readonly text: string;
  readonly facts: ReadonlyArray<{ readonly title: string; readonly value: string }>;
  readonly links: ReadonlyArray<{ readonly title: string; readonly url: string }>;
  /** The same in every attempt; printed as fact `Delivery`, so that a card posted twice can be recognised. */
  readonly deliveryId: string;
  readonly tone: CardTone;
};

type Fact = { readonly title: string; readonly value: string };
type TextBlock = {
  readonly type: 'TextBlock';
  readonly text: string;
  readonly wrap: true;
  readonly size?: 'large';
  readonly weight?: 'bolder';
};
type CardElement =
  | TextBlock
  | { readonly type: 'FactSet'; readonly facts: readonly Fact[] }
  | {
      readonly type: 'Container';
      readonly style: CardTone | 'emphasis';
      readonly bleed: true;
      readonly items: readonly TextBlock[];
    };

/** The message a Teams Workflow takes: one Adaptive Card 1.4 in an envelope. */
export type TeamsMessage = {
  readonly type: 'message';
  readonly attachments: readonly [
    {
      readonly contentType: 'application/vnd.microsoft.card.adaptive';
      readonly contentUrl: null;
      readonly content: {
        readonly $schema: 'http://adaptivecards.io/schemas/adaptive-card.json';
        readonly type: 'AdaptiveCard';
        readonly version: '1.4';
        readonly msteams: { readonly width: 'Full' };
        readonly fallbackText: string;
        readonly body: readonly CardElement[];
        readonly actions?: ReadonlyArray<{
          readonly type: 'Action.OpenUrl';
          readonly title: string;
          readonly url: string;
        }>;
      };
    },
  ];
};

/** The flow inflates a message by about 1.2 and drops it above 28,672 bytes, after its 202; 20 KiB of UTF-8 leave room (msteams-docs #11274). */
const BUDGET_BYTES = 20_480;
/** Teams shows at most six actions. */
const MAX_LINKS = 6;
/** Code points (URLs: bytes); chosen so that everything but the facts stays below the budget even when each code point takes four bytes. */
const CLIP = {
  title: 200,
  text: 2_000,
  event: 200,
  fallback: 300,
  factTitle: 80,
  factValue: 400,
  link: 50,
  url: 1_000,
};

/** The message for one event. At most 20 KiB of UTF-8: facts that do not fit are counted as "n more". */
export function buildCard(content: CardContent): TeamsMessage {
  const closing: Fact[] = [
    fact('Event', clip(content.event, CLIP.event)),
    fact('Delivery', clip(content.deliveryId, CLIP.event)),
  ];
  const facts = content.facts.map(({ title, value }) => fact(title, value));
  const bare = bytes(message(content, [...closing, more(facts.length)]));
  let room = BUDGET_BYTES - bare;
  let kept = 0;
  for (; kept < facts.length; kept += 1) {
    room -= bytes(facts[kept]) + 1;
    if (room < 0) break;
  }
  const cut = facts.length - kept;
  return message(content, [...facts.slice(0, kept), ...(cut > 0 ? [more(cut)] : []), ...closing]);
}

/** What is left of an event when even its card was refused as too large (413): the same delivery in a few words. */
const shortened = (content: CardContent): CardContent => ({
  ...content,
  title: clip(content.title, 100),
  text: clip(content.text, 200),
  facts: content.facts.length === 0 ? [] : [{ title: '…', value: `${content.facts.length} facts left out` }],
  links: content.links.slice(0, 1),
});

function message(content: CardContent, facts: readonly Fact[]): TeamsMessage {
  const links = content.links.filter(({ url }) => bytes(url) <= CLIP.url).slice(0, MAX_LINKS);
  const actions = links.map(
    ({ title, url }) => ({ type: 'Action.OpenUrl', title: clip(title, CLIP.link), url }) as const,
  );
  const body: CardElement[] = [
    {
      type: 'Container',
      style: content.tone === 'default' ? 'emphasis' : content.tone,
      bleed: true,
      items: [{ ...textBlock(clip(content.title, CLIP.title)), size: 'large', weight: 'bolder' }],
    },
    ...clip(content.text, CLIP.text)
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(0, 40)
      .map(textBlock),
    { type: 'FactSet', facts },
  ];
  const card = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    msteams: { width: 'Full' },
    fallbackText: clip(`${content.title}: ${content.text}`, CLIP.fallback),
    body,
    ...(actions.length > 0 ? { actions } : {}),
  } as const;
  return {
    type: 'message',
    attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content: card }],
  };
}

const textBlock = (text: string): TextBlock => ({ type: 'TextBlock', text: escapeMarkdown(text), wrap: true });

const fact = (title: string, value: string): Fact => ({
  title: escapeMarkdown(clip(title, CLIP.factTitle)),
  value: escapeMarkdown(clip(value, CLIP.factValue)),
});

const more = (n: number): Fact => ({ title: '…', value: `${n} more` });

const bytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

/** At most `max` code points; a cut never splits a surrogate pair and is shown. Control characters, six bytes each in JSON, become spaces. */
function clip(text: string, max: number): string {
  const points = Array.from(text.slice(0, 2 * max + 2).replaceAll(/(?!\n)\p{Cc}/gu, ' '));
  return points.length <= max ? points.join('') : `${points.slice(0, max - 1).join('')}…`;
}

/** Text that Teams' Markdown subset shows as written: emphasis, code, links and HTML everywhere, list and heading marks at the start of a line. */
export function escapeMarkdown(text: string): string {
  return text
    .replaceAll(/[\\`*_[\]<~]/g, String.raw`\$&`)
    .replaceAll(/^(\s*)([-+#>])(?=\s)/gm, String.raw`$1\$2`)
    .replaceAll(/^(\s*\d+)([.)])(?=\s)/gm, String.raw`$1\$2`);
}

/** What an answer to a message means. accepted: the other side has taken it, which does not say that anybody saw it. */
export type CardAnswer =
  /** `reason`: what was not taken with it. */
  | { readonly kind: 'accepted'; readonly reason?: string }
  | { readonly kind: 'retry'; readonly afterMs?: number; readonly reason?: string }
  | { readonly kind: 'dead'; readonly reason: string };

const DEAD: Readonly<Record<number, string>> = {
  400: 'Teams refused the card as malformed (400): this is a fault of Fairway, please report it.',
  401: 'Teams refused the signature of TEAMS_WEBHOOK_URL (401): copy the whole URL from the workflow again.',
  403: 'Teams refused the card by policy (403): ask the Teams administrator whether the workflow may post to the channel.',
  404: 'The Teams workflow does not exist (404): create it again and set TEAMS_WEBHOOK_URL to its URL.',
  410: 'The Teams workflow was deleted or switched off (410): switch it on, or set TEAMS_WEBHOOK_URL to a new one.',
  413: 'Teams refused the card as too large (413), also when it was shortened: please report it.',
};

/** How the other side answered a POST; `status` undefined: not at all (network, timeout). */
export type HttpAnswer = {
  readonly status: number | undefined;
  readonly retryAfter?: string | undefined;
  /** The beginning of the body. */
  readonly body?: string;
  /** Why there was no answer, without the URL. */
  readonly trouble?: string;
};

/**
 * Sorts the answer of a Teams workflow: 2xx accepted, unless it brings a web page; 408, 429, 5xx and no answer at all to be
 * retried, not before `Retry-After` (seconds or an HTTP date, which needs `now` in ms); everything else is final.
 */
export function classifyAnswer(answer: HttpAnswer, now: number): CardAnswer {
  const { status } = answer;
  const temporary = retryOf('Teams', answer, now);
  if (temporary !== undefined) return temporary;
  if (status !== undefined && status >= 200 && status < 300) {
    return isWebPage(answer.body)
      ? {
          kind: 'dead',
          reason: `TEAMS_WEBHOOK_URL answered with a web page (${status}), as a sign-in page or a proxy does: nothing was posted. Copy the URL from the workflow again.`,
        }
      : { kind: 'accepted' };
  }
  const reason = DEAD[status ?? 0] ?? `Teams answered ${status}, which no retry will mend: check TEAMS_WEBHOOK_URL.`;
  return { kind: 'dead', reason };
}

/** Posts an event as a card by `post`, and once more in few words when the card is refused as too large (413). */
export async function deliverCard(
  content: CardContent,
  post: (body: string) => Promise<HttpAnswer>,
  clock: { readonly now: () => number },
): Promise<CardAnswer> {
  const first = await post(JSON.stringify(buildCard(content)));
  const answer = first.status === 413 ? await post(JSON.stringify(buildCard(shortened(content)))) : first;
  return classifyAnswer(answer, clock.now());
}

/** The answer to be tried again: 408, 429, 5xx or none; undefined when it is final. */
export function retryOf(
  name: string,
  { status, retryAfter, trouble }: HttpAnswer,
  now: number,
): CardAnswer | undefined {
  if (status !== undefined && status !== 408 && status !== 429 && status < 500) return undefined;
  const afterMs = retryAfterMs(retryAfter, now);
  const reason =
    status === undefined
      ? `${name} does not answer${trouble === undefined ? '' : ` (${trouble})`}.`
      : `${name} answered ${status}.`;
  return { kind: 'retry', reason, ...(afterMs === undefined ? {} : { afterMs }) };
}

/** Whether a body is HTML, by its beginning. */
export const isWebPage = (body: string | undefined): boolean =>
  /^\uFEFF?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.{0,500}?-->\s*)*<(?:!doctype html|html|head|body)\b/is.test(body ?? '');

function retryAfterMs(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/** Hosts of Teams workflows as they were until now; the next form will have another, so it is no condition. */
const KNOWN_HOSTS = ['.logic.azure.com', '.api.powerplatform.com'];

/** Whether a host is one that Teams workflows are known to have. */
export const isKnownTeamsHost = (url: string): boolean =>
  KNOWN_HOSTS.some((suffix) => new URL(url).hostname.endsWith(suffix));
