import type { IncomingHttpHeaders } from 'node:http';
import type { Reply } from './dialect.ts';
import type { Dialect, FakeState } from './state.ts';

export type Ask = {
  readonly method: string;
  readonly path: string;
  /** What the route's pattern caught, decoded. */
  readonly params: readonly string[];
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Of JSON; undefined otherwise. */
  readonly body: unknown;
  readonly text: string;
};

/** A fault of the next call whose path fits: an answer instead, or the share of the answer after which the line is cut. */
export type Fault = { readonly on: RegExp; readonly reply?: Reply; readonly cutAt?: number };

export type FakeSas = {
  readonly dialect: Dialect;
  readonly state: FakeState;
  pageSize: number;
  /** Lists show everything, whatever filter is asked for. */
  ignoresFilters: boolean;
  /** Paths that the client has no right to. */
  forbidden: RegExp | undefined;
  readonly faults: Fault[];
  /** Runs before a call is answered: what others do meanwhile. */
  meanwhile: ((ask: Pick<Ask, 'method' | 'path'>) => void) | undefined;
};

export type Route = {
  readonly method: string;
  readonly path: RegExp;
  readonly answer: (sas: FakeSas, ask: Ask) => Reply;
};
