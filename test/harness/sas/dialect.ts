import type { Dialect } from './state.ts';

/** One answer. `raw`: bytes instead of JSON. */
export type Reply = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly raw?: Buffer;
};

/** Fractions of seconds: three digits on 3.5; later ones trim zeros and may have none. */
export function stamp(dialect: Dialect, ms: number | undefined): string {
  if (ms === undefined) return '0001-01-01T00:00:00Z';
  const text = new Date(ms).toISOString();
  return dialect === '3.5' ? text : text.replace(/\.?0*Z$/, 'Z');
}

/** Weak and spelled `Etag` on 2023.10, strong and spelled `ETag` on 3.5. */
export const etagHeader = (dialect: Dialect, id: string, revision: number): Record<string, string> =>
  dialect === '3.5' ? { ETag: `"m0${etagOf(id, revision)}"` } : { Etag: `W/"17${etagOf(id, revision)}"` };

const etagOf = (id: string, revision: number): string => `${id.slice(0, 6)}${revision}`;

/** The empty list. */
export const none = (dialect: Dialect): null | [] => (dialect === '3.5' ? [] : null);

export const typed = (dialect: Dialect, type: string): Record<string, string> => ({
  'Content-Type': dialect === '3.5' ? type : `${type}; charset=utf-8`,
});

export function link(rel: string, path: string, method = 'GET'): Record<string, string> {
  return { method, rel, href: path, uri: path };
}

/** 2023.10 has no `href` on the link to the bytes. */
export const bytesLink = (dialect: Dialect, path: string): Record<string, string> =>
  dialect === '3.5'
    ? link('content', path)
    : { method: 'GET', rel: 'content', uri: path, type: 'application/octet-stream' };

/** `errorCode` 0 where SAS has no number of its own. */
export function sasError(dialect: Dialect, status: number, errorCode: number, message: string, path: string): Reply {
  const trace = dialect === '3.5' ? 'traceId: 6f3c1d2e9a4b5c60' : 'correlator: 0b51f7a2-7c1b-44de-9f2a-2f5a3a6d9c11';
  const type =
    dialect === '3.5'
      ? 'application/vnd.sas.error+json;version=2;charset=UTF-8'
      : 'application/vnd.sas.error+json;charset=utf-8;version=2';
  const details = dialect === '3.5' ? [trace, `path: ${path}`] : [`path: ${path}`, trace];
  return {
    status,
    headers: { 'Content-Type': type },
    json: { errorCode, message, details, links: [], version: 2, httpStatusCode: status },
  };
}

/** What the ingress says about a route that no service has; 3.5 answers in SAS's own way. */
export const noRoute = (dialect: Dialect, path: string): Reply =>
  dialect === '3.5'
    ? sasError(dialect, 404, 0, 'No such resource.', path)
    : {
        status: 404,
        headers: { 'Content-Type': 'text/html' },
        raw: Buffer.from(
          '<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n',
        ),
      };

export type Listed = {
  readonly path: string;
  readonly name: string;
  readonly items: readonly unknown[];
  readonly query: URLSearchParams;
  /** Items a page; undefined: all of them, and no start and limit (contents and versions of 3.5). */
  readonly limit?: number;
};

/** A page of a list. Counts are what the dialect makes of them: the whole, the page, or what was there a while ago. */
export function collection(dialect: Dialect, { path, name, items, query, limit }: Listed): Reply {
  const start = Number(query.get('start') ?? 0);
  const size = Number(query.get('limit') ?? limit ?? items.length);
  const shown = items.slice(start, start + size);
  const isBare = limit === undefined && dialect === '3.5';
  const at = (from: number, keepFilter: boolean): string => {
    const filter = query.get('filter');
    const rest = keepFilter && filter !== null ? `&filter=${encodeURIComponent(filter)}` : '';
    return `${path}?start=${from}&limit=${size}${rest}`;
  };
  // 3.5 forgets the filter in its links; both add what they like to the next one.
  const next = start + size < items.length ? [link('next', `${at(start + size, dialect !== '3.5')}&sortBy=name`)] : [];
  const links = isBare
    ? [link('self', path)]
    : [link('collection', path), link('self', at(start, dialect !== '3.5')), ...next];
  const count = shown.length === 0 && start > 0 ? 0 : items.length + (next.length > 0 ? 1 : 0);
  const type = isBare ? 'application/json' : 'application/vnd.sas.collection+json';
  const json = { version: 2, name, count, items: shown.length === 0 ? none(dialect) : shown, links };
  return { status: 200, headers: typed(dialect, type), json: isBare ? json : { ...json, start, limit: size } };
}
