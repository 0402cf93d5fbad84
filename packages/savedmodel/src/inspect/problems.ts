import { DEFAULT_SIGNATURE } from '../default-signature.ts';
import { carriedDType } from '../tensor.ts';
import type { GraphReport, OpReport, SavedModelReport, TensorReport } from './report.ts';

type Facts = Omit<SavedModelReport, 'problems' | 'remarks'>;

/** Ops that make variables: with any of them there must be a checkpoint. */
const VARIABLE_OPS = new Set(['VarHandleOp', 'Variable', 'VariableV2']);

/** Everything that keeps TensorFlow Serving, or Fairway with it, from serving this model. */
export function problemsOf(facts: Facts): string[] {
  const graph = facts.serving === undefined ? undefined : facts.graphs[facts.serving];
  const own =
    graph === undefined ? [noServingGraph(facts.graphs)] : [...signatureProblems(graph), ...opProblems(graph)];
  return [...own, ...variableProblems(facts, graph), ...assetProblems(facts, graph), ...warmupProblems(facts)];
}

/** What a reader should know. */
export function remarksOf(facts: Facts): string[] {
  const graph = facts.serving === undefined ? undefined : facts.graphs[facts.serving];
  const remarks: string[] = [];
  if (facts.variables.state === 'unread') remarks.push(facts.variables.reason ?? '');
  const unused =
    graph?.ops.filter(({ verdict, count }) => count === 0 && (verdict === 'python' || verdict === 'custom')) ?? [];
  if (unused.length > 0)
    remarks.push(`functions that nothing calls use ${list(unused.map(({ op }) => op))}: harmless while it stays so`);
  const newer = graph?.ops.filter(({ verdict, count }) => verdict === 'newer' && count > 0) ?? [];
  if (newer.length > 0)
    remarks.push(
      `${list(newer.map(({ op }) => op))} may be new in TensorFlow ${graph?.tensorflow ?? ''}: serve with that version or a newer one`,
    );
  return remarks;
}

function noServingGraph(graphs: readonly GraphReport[]): string {
  const tags = graphs.map((graph) => `[${graph.tags.join(', ')}]`).join(' ');
  return `no graph is tagged "serve" alone (tags: ${tags || 'none'}): export the model for serving`;
}

function signatureProblems({ signatures }: GraphReport): string[] {
  const found = signatures.find(({ name }) => name === DEFAULT_SIGNATURE);
  if (found === undefined) {
    const known = list(signatures.map(({ name }) => name)) || 'none';
    return [`it has no signature "${DEFAULT_SIGNATURE}" (signatures: ${known}): export it with one`];
  }
  const tensors = [
    ...found.inputs.map((tensor) => ['input', tensor] as const),
    ...found.outputs.map((tensor) => ['output', tensor] as const),
  ];
  const bad = tensors.flatMap(([role, tensor]) => {
    const what = uncarried(tensor);
    return what === undefined ? [] : [`${role} ${tensor.name} ${what}`];
  });
  return found.outputs.length === 0 ? [...bad, `signature ${DEFAULT_SIGNATURE} has no outputs`] : bad;
}

/** Why a tensor cannot go through TensorFlow Serving's JSON and Fairway's records; undefined: it can. */
function uncarried({ dtype, shape, encoding }: TensorReport): string | undefined {
  if (encoding !== 'dense') return `is a ${encoding} tensor: export it as a dense one`;
  if (!carriedDType(dtype)) return `is ${dtype}: export it as a float, double, int32, int64, bool or string tensor`;
  return shape === null ? 'has a shape of unknown rank: export it with a fixed number of dimensions' : undefined;
}

function opProblems({ ops }: GraphReport): string[] {
  const used = (verdict: OpReport['verdict']) =>
    ops.filter((op) => op.verdict === verdict && op.count > 0).map(({ op }) => op);
  const [python, custom] = [used('python'), used('custom')];
  return [
    ...(python.length === 0
      ? []
      : [
          `it calls Python (${list(python)}), which TensorFlow Serving does not have: replace py_function by TensorFlow's own ops`,
        ]),
    ...(custom.length === 0
      ? []
      : [`it needs ${list(custom)}, which TensorFlow Serving does not have: export it with TensorFlow's own ops`]),
  ];
}

function variableProblems({ variables }: Facts, graph: GraphReport | undefined): string[] {
  if (variables.state === 'broken') return [variables.reason ?? 'its variables are broken'];
  const needs = graph?.ops.find(({ op, count }) => count > 0 && VARIABLE_OPS.has(op));
  if (variables.state !== 'none' || needs === undefined) return [];
  return [
    `its graph has variables (${needs.op}), but variables/variables.index is missing: copy or export the model whole`,
  ];
}

function assetProblems({ files }: Facts, graph: GraphReport | undefined): string[] {
  const there = new Set(files.map(({ path }) => path));
  const missing = (graph?.assets ?? []).filter((name) => !there.has(`assets/${name}`));
  return missing.length === 0
    ? []
    : [`${list(missing.map((name) => `assets/${name}`))} is missing: copy or export the model whole`];
}

function warmupProblems({ warmup }: Facts): string[] {
  if (warmup?.problem === undefined) return [];
  return [`its warm-up requests (assets.extra/tf_serving_warmup_requests) cannot be used: ${warmup.problem}`];
}

const SHOWN = 5;

const list = (names: readonly string[]): string =>
  names.length <= SHOWN ? names.join(', ') : `${names.slice(0, SHOWN).join(', ')} and ${names.length - SHOWN} more`;
