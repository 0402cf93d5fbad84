import { type ErrorCode, FairwayError } from '@fairway/core';
import type { RemoteAnswer } from '@fairway/remote';

/** What SAS says about a call that it does not carry out, however it says it. */
export type Refusal = {
  readonly status: number;
  /** A sentence without its full stop, in SAS's words where it has any. */
  readonly says: string;
  /** SAS's own number; 0 and negative ones occur. */
  readonly errorCode?: number;
  /** `traceId` of Viya 3.5, `correlator` of later ones: what SAS's support asks for. */
  readonly trace?: string;
  readonly details: readonly string[];
  /** An ingress has answered, no service of SAS: the address or the route is wrong, whatever the status says. */
  readonly isPage: boolean;
};

const MOST = 400;

/** Reads an answer that is no success: `vnd.sas.error+json`, OAuth's JSON, a web page, or text. */
export function refusalOf({ status, headers, text, data }: RemoteAnswer): Refusal {
  const body = typeof data === 'object' && data !== null ? (data as Readonly<Record<string, unknown>>) : {};
  const isPage = /html/i.test(headers['content-type'] ?? '') || /^\s*<(!doctype|html)/i.test(text);
  const { message, error, error_description: description, errorCode } = body;
  const words = [message, description, error].find((one) => typeof one === 'string' && one.trim() !== '');
  const details = Array.isArray(body['details'])
    ? body['details'].filter((one): one is string => typeof one === 'string').slice(0, 20)
    : [];
  const trace = details.flatMap((one) => /^\s*(?:traceId|correlator)\s*:\s*(\S+)/i.exec(one)?.[1] ?? []).at(0);
  return {
    status,
    says:
      clean(typeof words === 'string' ? words : isPage ? `a web page, ${titleOf(text)}` : text) || 'no reason given',
    ...(typeof errorCode === 'number' ? { errorCode } : {}),
    ...(trace === undefined ? {} : { trace }),
    details,
    isPage,
  };
}

const titleOf = (html: string): string => clean(/<title>([^<]*)/i.exec(html)?.[1] ?? '') || 'without a title';

const clean = (text: string): string =>
  text
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replace(/\.$/, '')
    .slice(0, MOST);

/** Which failures pass when a person mends something over there, and which do not before the request is another one. */
function kindOf({ status, isPage }: Refusal): { code: ErrorCode; mend: string; terminal?: true } {
  if (isPage) return { code: 'registry.unavailable', mend: 'no service of SAS answers there; check SAS_URL' };
  if (status === 401)
    return { code: 'registry.unavailable', mend: "check the writer's client and its grant (SAS_GRANT)" };
  if (status === 403) {
    return { code: 'registry.unavailable', mend: "give the writer's client the right (docs/sas/README.md)" };
  }
  if (status === 404) return { code: 'model.unknown', mend: 'correct source in model.yaml if it names another one' };
  if (status >= 500) return { code: 'registry.unavailable', mend: "SAS's own log has more under this trace" };
  return { code: 'registry.unavailable', mend: 'no retry will mend this; report it with this trace', terminal: true };
}

/** `what`: in words that follow "SAS refuses", e.g. `to read project X`. */
export function refused(what: string, refusal: Refusal): FairwayError {
  const { status, says, errorCode, trace, details } = refusal;
  const { code, mend, terminal } = kindOf(refusal);
  const marks = [`${status}`, ...(errorCode ? [`SAS error ${errorCode}`] : []), ...(trace ? [`trace ${trace}`] : [])];
  return new FairwayError(code, `SAS Viya (SAS_URL) refuses ${what} (${marks.join(', ')}): ${says}; ${mend}.`, {
    detail: { status, details, ...(errorCode === undefined ? {} : { errorCode }), ...(trace ? { trace } : {}) },
    ...(terminal === undefined ? {} : { disposition: 'terminal' }),
  });
}

/** For an answer that is a success by its status and no JSON of SAS by its body. */
export function senseless(what: string, answer: RemoteAnswer, why: string): FairwayError {
  const { isPage, says } = refusalOf(answer);
  const got = isPage ? `it answers with ${says}; check SAS_URL` : why;
  return new FairwayError('registry.unavailable', `SAS Viya (SAS_URL) was asked ${what}, and ${got}.`, {
    detail: { status: answer.status },
  });
}
