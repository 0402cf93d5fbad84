import type { z } from 'zod';
import type { ApiContext } from './context.ts';
import { parse } from './input.ts';

/** Each role may do what the ones before it may. */
export const ROLES = ['viewer', 'approver', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** Who calls, by the credential that was sent. */
export type Caller = { readonly name: string; readonly role: Role };

/** What a handler answers; no body means 204. */
export type Reply = { readonly status: number; readonly body?: unknown };

/** A request as it came, its body not yet read as anything. */
export type RawCall = {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** undefined where a route is public. */
  readonly caller: Caller | undefined;
};

type Answers = Readonly<Record<number, { readonly about: string; readonly schema?: z.ZodType }>>;

export type Body = {
  /** What it is, as the subject of a sentence: `The approval`. */
  readonly what: string;
  /** Most bytes; counted before anything is parsed. */
  readonly limit: number;
  /** `raw`: the handler gets the bytes of any content type. */
  readonly schema: z.ZodType | 'raw';
};

/** One operation of the API: Express and the OpenAPI document are both made from it. */
export type Route = {
  readonly method: 'get' | 'post';
  /** As OpenAPI writes it: `/v1/changes/{id}`. */
  readonly path: string;
  /** `operationId`: unique, a verb first. */
  readonly operation: string;
  readonly summary: string;
  /** Least role; `public` needs no credential. */
  readonly role: Role | 'public';
  readonly params?: z.ZodObject | undefined;
  readonly query?: z.ZodObject | undefined;
  readonly body?: Body | undefined;
  readonly answers: Answers;
  run(call: RawCall, context: ApiContext): Promise<Reply>;
};

type Of<S> = S extends z.ZodType ? z.output<S> : undefined;

type Definition<P, Q, B, R> = Omit<Route, 'role' | 'params' | 'query' | 'body' | 'run'> & {
  readonly role: R;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: Omit<Body, 'schema'> & { readonly schema: B };
  readonly handle: (
    call: {
      readonly params: Of<P>;
      readonly query: Of<Q>;
      readonly body: B extends 'raw' ? Buffer : Of<B>;
      readonly headers: RawCall['headers'];
      readonly caller: R extends 'public' ? undefined : Caller;
    },
    context: ApiContext,
  ) => Promise<Reply>;
};

/** A route whose handler gets its input checked: what does not fit its schema is refused with `input.invalid`. */
export function route<
  R extends Role | 'public',
  P extends z.ZodObject | undefined = undefined,
  Q extends z.ZodObject | undefined = undefined,
  B extends z.ZodType | 'raw' | undefined = undefined,
>({ handle, ...definition }: Definition<P, Q, B, R>): Route {
  const { params, query, body } = definition;
  return {
    ...definition,
    body: body as Body | undefined,
    run: (call, context) => {
      const checked = {
        params: read(params, call.params, 'The path'),
        query: read(query, call.query, 'The query'),
        body: read(body?.schema, call.body, body?.what ?? ''),
        headers: call.headers,
        caller: call.caller,
      };
      return handle(checked as Parameters<typeof handle>[0], context);
    },
  };
}

const read = (schema: z.ZodType | 'raw' | undefined, value: unknown, what: string): unknown =>
  schema === undefined || schema === 'raw' ? value : parse(schema, value, what);
