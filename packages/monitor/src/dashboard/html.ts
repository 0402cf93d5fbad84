/** Text that is HTML already; everything else is escaped where it is put in. */
export type Html = { readonly html: string };

type Piece = Html | string | number | null | undefined | false | readonly Piece[];

/** HTML from a template: every value is escaped unless it is Html itself; lists are joined; null, undefined and false vanish. */
export function html(parts: TemplateStringsArray, ...values: readonly Piece[]): Html {
  return { html: parts.reduce((text, part, index) => text + render(values[index - 1]) + part) };
}

function render(piece: Piece): string {
  if (piece === null || piece === undefined || piece === false) return '';
  if (typeof piece === 'string') return escapeHtml(piece);
  if (typeof piece === 'number') return String(piece);
  return 'html' in piece ? piece.html : piece.map(render).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escapeHtml = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');

/** A link to the outside; anything that is no http(s) URL stays plain text. */
export function externalLink(url: string | undefined, text: string): Html {
  const isWeb = url !== undefined && URL.canParse(url) && ['http:', 'https:'].includes(new URL(url).protocol);
  return isWeb ? html`<a href="${url}">${text}</a>` : html`${text}`;
}
