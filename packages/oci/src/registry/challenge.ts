/** What a 401 asks for (RFC 9110, 11.6.1): schemes in lower case with their parameters. */
export type Challenge = { readonly scheme: string; readonly params: Readonly<Record<string, string>> };

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+/;
const PARAM = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/;

/** Several challenges may share one header, parted by the same commas as their parameters. */
export function challenges(header: string): Challenge[] {
  const found: Array<{ scheme: string; params: Record<string, string> }> = [];
  let rest = header.trim();
  while (rest !== '') {
    const param = PARAM.exec(rest);
    const scheme = TOKEN.exec(rest)?.[0];
    const last = found.at(-1);
    if (param !== null && last !== undefined) {
      last.params[(param[1] ?? '').toLowerCase()] = (param[2] ?? param[3] ?? '').replaceAll(/\\(.)/g, '$1');
      rest = rest.slice(param[0].length);
    } else if (scheme !== undefined) {
      found.push({ scheme: scheme.toLowerCase(), params: {} });
      rest = rest.slice(scheme.length);
    } else return found;
    rest = rest.replace(/^[\s,]+/, '');
  }
  return found;
}
