/** A piece of HTML that is known to be safe: made by {@link html}, or vouched for with {@link trusted}. */
export type Html = { readonly html: string };
type Value = string | number | Html | undefined | false | readonly Value[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export const escapeHtml = (text: string): string => text.replaceAll(/[&<>"']/g, (char) => ENTITIES[char] ?? char);

/** Only for markup whose every part was escaped by hand. */
export const trusted = (markup: string): Html => ({ html: markup });

/** Tagged template that escapes every value except {@link Html}; lists are joined, `undefined` and `false` leave nothing. */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  let out = strings[0] ?? '';
  for (const [i, value] of values.entries()) out += show(value) + (strings[i + 1] ?? '');
  return { html: out };
}

function show(value: Value): string {
  if (value === undefined || value === false) return '';
  if (typeof value === 'string') return escapeHtml(value);
  if (typeof value === 'number') return String(value);
  return 'html' in value ? value.html : value.map(show).join('');
}
