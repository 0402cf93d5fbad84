import { ROUTES } from '../../packages/gitops-writer/src/http/routes/index.ts';
import { problem } from '../../packages/gitops-writer/src/http/shapes.ts';

type Answer = { readonly status: number; readonly type: string; readonly body: unknown };

/**
 * What an answer of the writer's API has that its OpenAPI document does not say; empty when it is as documented. `path`
 * may have a query.
 */
export function undocumented(method: string, path: string, { status, type, body }: Answer): string[] {
  if (status >= 400) {
    const wrong = problem.safeParse(body).error?.message;
    const sentence = (body as { detail?: string }).detail ?? '';
    return [
      ...(type.startsWith('application/problem+json') ? [] : [`content-type ${type}`]),
      ...(wrong === undefined ? [] : [wrong]),
      ...(/^[A-Z/].+[.:]/s.test(sentence) && !/\n\s+at /.test(sentence) ? [] : [`no sentence: ${sentence}`]),
    ];
  }
  const asked = method === 'HEAD' ? 'get' : method.toLowerCase();
  const route = ROUTES.find((one) => one.method === asked && matches(one.path, path));
  const answer = route?.answers[status];
  if (answer === undefined) return [`${method} ${path} may not answer ${status}`];
  if (answer.schema === undefined || method === 'HEAD') return body === undefined ? [] : ['a body'];
  const wrong = answer.schema.safeParse(body).error?.message;
  return wrong === undefined ? [] : [wrong];
}

function matches(template: string, path: string): boolean {
  const pattern = template.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+');
  return new RegExp(`^${pattern}$`).test(path.split('?')[0] ?? '');
}
