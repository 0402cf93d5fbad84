import { refusal } from '../refusal.ts';

/** Parameters of one directory, as the git directory generator makes them. */
export type PathParams = {
  readonly path: string;
  readonly basename: string;
  readonly basenameNormalized: string;
  readonly segments: readonly string[];
};

export function pathParams(path: string): PathParams {
  const segments = path.split('/');
  const basename = segments.at(-1) ?? '';
  const normalized = basename
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]/g, '-')
    .replaceAll(/^[-.]+|[-.]+$/g, '')
    .slice(0, 253);
  return { path, basename, basenameNormalized: normalized, segments };
}

/** Fills every string inside `template`. `go`: Go template syntax (`{{.path.basename}}`), else the simple one (`{{path[1]}}`). */
export function fillTemplate<T>(template: T, params: PathParams, go: boolean): T {
  if (typeof template === 'string') return fillText(template, params, go) as T;
  if (Array.isArray(template)) return template.map((item) => fillTemplate(item as unknown, params, go)) as T;
  if (typeof template !== 'object' || template === null) return template;
  const entries = Object.entries(template).map(([key, value]) => [
    fillText(key, params, go),
    fillTemplate(value as unknown, params, go),
  ]);
  return Object.fromEntries(entries) as T;
}

function fillText(text: string, params: PathParams, go: boolean): string {
  return text.replaceAll(/\{\{-?\s*(.*?)\s*-?\}\}/g, (whole, expression: string) => {
    const value = go ? goValue(expression, params) : simpleValue(expression, params);
    // The simple syntax leaves what it does not know; Go templates refuse it.
    if (value !== undefined || !go) return value ?? whole;
    const known = '.path.path, .path.basename, .path.basenameNormalized, index .path.segments N';
    throw refusal(
      'Invalid',
      `The ApplicationSet template ${whole} is not understood by the embedded cluster: use ${known}.`,
    );
  });
}

function goValue(expression: string, { path, basename, basenameNormalized, segments }: PathParams): string | undefined {
  const index = /^index \.path\.segments (\d+)$/.exec(expression);
  if (index) return segments[Number(index[1])];
  const values: Readonly<Record<string, string>> = {
    '.path.path': path,
    '.path.basename': basename,
    '.path.basenameNormalized': basenameNormalized,
  };
  return values[expression];
}

function simpleValue(
  expression: string,
  { path, basename, basenameNormalized, segments }: PathParams,
): string | undefined {
  const index = /^path\[(\d+)\]$/.exec(expression);
  if (index) return segments[Number(index[1])];
  const values: Readonly<Record<string, string>> = {
    path,
    'path.basename': basename,
    'path.basenameNormalized': basenameNormalized,
  };
  return values[expression];
}
