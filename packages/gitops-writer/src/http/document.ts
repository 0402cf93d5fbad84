import { z } from 'zod';
import { SIGNATURE_HEADERS } from '../signature.ts';
import { DOCUMENTED } from './fields.ts';
import type { Body, Route } from './route.ts';
import { problem } from './shapes.ts';

type Schema = Record<string, unknown>;
type Components = Map<string, Schema>;

/** The OpenAPI 3.1 document of a table of routes. */
export function openApiDocument(routes: readonly Route[]): object {
  const components: Components = new Map();
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method] = operation(route, components);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Fairway writer',
      version: '1',
      description:
        'From approval to proven live. Errors are application/problem+json (RFC 9457); `detail` is a sentence.',
    },
    paths,
    components: {
      schemas: Object.fromEntries([...components].sort(([a], [b]) => (a < b ? -1 : 1))),
      securitySchemes: SECURITY_SCHEMES,
    },
  };
}

const SECURITY_SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer', description: 'Token of a credential.' },
  signature: {
    type: 'apiKey',
    in: 'header',
    name: SIGNATURE_HEADERS.signature,
    description: `v1=<hex HMAC-SHA256 by the credential's secret over method, path with query, timestamp, nonce and the body's sha256 in hex, one to a line>; with ${SIGNATURE_HEADERS.key}, ${SIGNATURE_HEADERS.timestamp} (seconds) and ${SIGNATURE_HEADERS.nonce}.`,
  },
};

function operation(route: Route, components: Components): object {
  const { operation: operationId, summary, role, params, query, body, answers } = route;
  const refused = { about: 'Refused or failed; `detail` says why and how to mend it', schema: problem };
  const responses = Object.entries(answers).map(([status, answer]) => [status, response(answer, components)]);
  return {
    operationId,
    summary,
    security: role === 'public' ? [] : Object.keys(SECURITY_SCHEMES).map((scheme) => ({ [scheme]: [] })),
    ...(role === 'public' ? {} : { 'x-fairway-role': role }),
    parameters: [...parameters('path', params, components), ...parameters('query', query, components)],
    ...(body === undefined ? {} : { requestBody: requestBody(body, components) }),
    responses: {
      ...Object.fromEntries(responses),
      default: response(refused, components, 'application/problem+json'),
    },
  };
}

function response(
  { about, schema }: Route['answers'][number],
  components: Components,
  type = 'application/json',
): object {
  if (schema === undefined) return { description: about };
  return { description: about, content: { [type]: { schema: jsonSchema(schema, components) } } };
}

function requestBody({ schema }: Body, components: Components): object {
  const content = schema === 'raw' ? { '*/*': {} } : { 'application/json': { schema: jsonSchema(schema, components) } };
  return { required: true, content };
}

function parameters(place: 'path' | 'query', schema: z.ZodObject | undefined, components: Components): object[] {
  const fields = Object.entries(schema?.shape ?? {});
  return fields.map(([name, field]) => ({
    name,
    in: place,
    required: place === 'path' || !(field as z.ZodType).isOptional(),
    schema: jsonSchema(field as z.ZodType, components),
  }));
}

/** JSON Schema of what is sent; schemas with a name become components. */
function jsonSchema(schema: z.ZodType, components: Components): Schema {
  const made = z.toJSONSchema(schema, { io: 'input', metadata: DOCUMENTED, unrepresentable: 'any' });
  const {
    $schema: _,
    $defs,
    ...rest
  } = JSON.parse(JSON.stringify(made).replaceAll('"#/$defs/', '"#/components/schemas/')) as Schema & {
    $defs?: Record<string, Schema>;
  };
  for (const [id, { id: __, ...definition }] of Object.entries($defs ?? {})) components.set(id, definition);
  return rest;
}
