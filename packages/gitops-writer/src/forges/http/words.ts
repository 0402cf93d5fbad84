/** Whether two texts are the same but for line ends, which forges may change. */
export const sameText = (a: string, b: string): boolean => lines(a) === lines(b);

const lines = (text: string): string => text.replaceAll('\r\n', '\n').trim();

/**
 * Whether a comment ends in the marker as ours do, below the text. Somebody who quotes one has it in the middle or behind a `>`, and
 * must keep what they wrote: an account that may write may edit the comments of others on GitHub and GitLab.
 */
export const isMarked = (text: string, marker: string): boolean => lines(text).endsWith(`\n\n${marker}`);

/** A merge commit's message as forges want it: first line and the rest; nothing where there is none. */
export function messageParts(message: string): { readonly title?: string; readonly body?: string } {
  const [title = '', ...rest] = message.trim().split('\n');
  const body = rest.join('\n').trim();
  return { ...(title === '' ? {} : { title: title.trim() }), ...(body === '' ? {} : { body }) };
}

/** At most `limit` characters; no half of a surrogate pair is left at the end. */
export function clipped(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return `${text.slice(0, limit - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

export type Reviewers = { readonly users: readonly string[]; readonly teams: readonly string[] };

/** Logins, and the slugs of `team:<slug>`. */
export function reviewersOf(names: readonly string[]): Reviewers {
  const teams = names.filter((name) => name.startsWith('team:')).map((name) => name.slice('team:'.length));
  return { users: names.filter((name) => !name.startsWith('team:')), teams };
}
