type Json = Readonly<Record<string, unknown>>;

/** Score bins of 1e-4. */
const SCORE_BINS = 10_000;

/**
 * What is wrong with the shape of a baseline, in words that follow the file's name; undefined where all that the monitor counts
 * and judges by is there. `fairway baseline` writes what passes: this is for those that were made by hand or by another program.
 */
export function baselineProblem(value: Json): string | undefined {
  const { rows, events, source, variables, scores, performance } = value;
  if (!isCount(rows)) return 'has no whole number of rows';
  if (!isCount(events) || events > rows) return 'has no whole number of events, at most its rows';
  if (typeof source !== 'string') return 'has no source, the sha256 of the data that it was taken from';
  return (
    variablesProblem(variables) ??
    scoresProblem(scores) ??
    performanceProblem(performance) ??
    segmentsProblem(value) ??
    otherTargetsProblem(value)
  );
}

function variablesProblem(list: unknown): string | undefined {
  if (!Array.isArray(list)) return 'has no list of variables';
  const names = new Set<unknown>();
  for (const one of list) {
    if (!isObject(one) || typeof one['name'] !== 'string' || one['name'] === '') return 'has a variable without a name';
    const problem = variableProblem(one);
    if (problem !== undefined) return `gives variable ${JSON.stringify(one['name'])} ${problem}`;
    if (names.has(one['name'])) return `has variable ${JSON.stringify(one['name'])} twice`;
    names.add(one['name']);
  }
  return undefined;
}

function variableProblem({ kind, n, missing, ...one }: Json): string | undefined {
  if (!isCount(n) || !isCount(missing)) return 'no whole numbers n and missing';
  if (kind === 'numeric') return numericProblem(one) ?? countsProblem(one, 'edges', n);
  if (kind !== 'category') return 'a kind other than "numeric" or "category"';
  const { categories } = one;
  if (!Array.isArray(categories) || !categories.every((name) => typeof name === 'string'))
    return 'no list of categories';
  if (new Set(categories).size < categories.length) return 'a category twice';
  return countsProblem(one, 'categories', n);
}

function numericProblem(one: Json): string | undefined {
  const edges = asNumbers(one['edges']);
  if (edges === undefined) return 'no list of edges that are numbers';
  if (edges.some((edge, at) => at > 0 && edge <= (edges[at - 1] as number))) return 'edges that do not ascend';
  const unknown = ['mean', 'std', 'min', 'max'].find((key) => !Number.isFinite(one[key]));
  return unknown === undefined ? undefined : `no number ${unknown}`;
}

/** A bin for each category and one for the rest; between edges one more than there are of them. */
function countsProblem(one: Json, bins: 'edges' | 'categories', n: number): string | undefined {
  const counts = asNumbers(one['counts']);
  const wanted = (one[bins] as unknown[]).length + 1;
  if (counts === undefined || !counts.every(isCount)) return 'no list of counts that are whole numbers';
  if (counts.length !== wanted) return `${counts.length} counts for ${wanted} bins`;
  return counts.reduce((sum, count) => sum + count, 0) === n ? undefined : `counts that do not add up to its n, ${n}`;
}

function scoresProblem(list: unknown): string | undefined {
  if (!Array.isArray(list)) return 'has no list of scores';
  let last = -1;
  for (const one of list) {
    const cell = asNumbers(one);
    if (cell?.length !== 3 || !cell.every(isCount)) return 'has scores that are not [bin, non-events, events]';
    const [bin] = cell as [number, number, number];
    if (bin <= last || bin >= SCORE_BINS) return `has score bins that do not ascend from 0 to ${SCORE_BINS - 1}`;
    last = bin;
  }
  return undefined;
}

function performanceProblem(value: unknown): string | undefined {
  if (!isObject(value)) return 'has no performance';
  const { auc, ks, rows, events } = value;
  if (!isShare(auc) || !isShare(ks)) return 'has a performance without AUC and KS from 0 to 1';
  return isCount(rows) && isCount(events) ? undefined : 'has a performance without whole numbers of rows and events';
}

function segmentsProblem({ segments, variables }: Json): string | undefined {
  if (segments === undefined) return undefined;
  const names = (variables as Json[]).map(({ name }) => name);
  const stray = Array.isArray(segments) ? segments.find((name) => !names.includes(name)) : segments;
  if (stray === undefined) return undefined;
  return `has segments that are none of its variables: ${JSON.stringify(stray).slice(0, 60)}`;
}

function otherTargetsProblem({ regression, classification }: Json): string | undefined {
  if (regression !== undefined) {
    const prediction = isObject(regression) ? regression['prediction'] : undefined;
    const problem = isObject(prediction) ? variableProblem(prediction) : 'no reference bins';
    if (problem !== undefined) return `gives the predicted number ${problem}`;
  }
  if (classification === undefined) return undefined;
  const classes = isObject(classification) ? classification['classes'] : undefined;
  if (Array.isArray(classes) && classes.length > 1 && classes.every((name) => typeof name === 'string'))
    return undefined;
  return 'has a classification without two classes or more';
}

function asNumbers(value: unknown): number[] | undefined {
  return Array.isArray(value) && value.every((one) => Number.isFinite(one)) ? (value as number[]) : undefined;
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isShare = (value: unknown): boolean => typeof value === 'number' && value >= 0 && value <= 1;
