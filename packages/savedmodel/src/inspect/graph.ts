import { addNode, type Body, countOps, emptyBody } from './body.ts';
import { type EachNode, readFeatures } from './examples.ts';
import type { Names } from './names.ts';
import { judgeOps } from './ops.ts';
import type { GraphReport, OpReport, SignatureReport } from './report.ts';
import { byName, readSignature } from './tensor-info.ts';
import { BYTES, eachField, VARINT, type Visit } from '@fairway/core';

const MAX_GRAPHS = 100;
/** What a function costs while its graph is read. */
const FUNCTION = 1024;

/** SavedModel: its schema version and its meta graphs. Throws RangeError with half a sentence on bytes that are none. */
export function readGraphs(bytes: Uint8Array, names: Names): { schemaVersion: number; graphs: GraphReport[] } {
  let schemaVersion = 0;
  const graphs: GraphReport[] = [];
  eachField(bytes, 0, bytes.length, (id, wire, value, to) => {
    if (id === 1 && wire === VARINT) schemaVersion = value;
    if (id !== 2 || wire !== BYTES) return;
    graphs.push(readMetaGraph(bytes, value, to, names));
    if (graphs.length > MAX_GRAPHS) throw new RangeError(`it has more than ${MAX_GRAPHS} graphs`);
  });
  return { schemaVersion, graphs };
}

/** A message's embedded messages only. */
const messages =
  (visit: (id: number, start: number, end: number) => void): Visit =>
  (id, wire, start, end) => {
    if (wire === BYTES) visit(id, start, end);
  };

function readMetaGraph(bytes: Uint8Array, start: number, end: number, names: Names): GraphReport {
  const signatures = new Map<string, SignatureReport>();
  const assets: string[] = [];
  const graph = graphReader(bytes, names);
  const info = infoReader(bytes, names);
  eachField(
    bytes,
    start,
    end,
    messages((id, from, to) => {
      if (id === 1) info.read(from, to);
      if (id === 2) graph.read(from, to);
      if (id === 5) {
        const signature = readSignature(bytes, from, to, names);
        signatures.set(signature.name, signature);
      }
      if (id === 6)
        eachField(
          bytes,
          from,
          to,
          messages((part, a, b) => part === 2 && assets.push(names.keep(a, b))),
        );
    }),
  );
  const found = graph.report(info.tensorflow());
  return {
    ...info.report(),
    ...found,
    signatures: byName(signatures).map((signature) => ({
      ...signature,
      takesExamples: found.features.length > 0 && isOneText(signature),
    })),
    assets: assets.sort(),
  };
}

const isOneText = ({ inputs }: SignatureReport): boolean => inputs.length === 1 && inputs[0]?.dtype === 'DT_STRING';

/** MetaInfoDef. */
function infoReader(bytes: Uint8Array, names: Names) {
  const tags = new Set<string>();
  const declared = new Set<string>();
  let [version, git] = ['', ''];
  return {
    tensorflow: () => version || undefined,
    read: (start: number, end: number): void =>
      eachField(
        bytes,
        start,
        end,
        messages((id, from, to) => {
          if (id === 4) tags.add(names.keep(from, to));
          if (id === 5) version = names.keep(from, to);
          if (id === 6) git = names.keep(from, to);
          // OpList of OpDefs, whose first field is the name.
          if (id === 2)
            eachField(
              bytes,
              from,
              to,
              messages((_, a, b) => void declared.add(readName(bytes, a, b, names))),
            );
        }),
      ),
    report: (): Pick<GraphReport, 'tags' | 'tensorflow' | 'tensorflowGit' | 'declaredOps'> => ({
      tags: [...tags].sort(),
      ...(version === '' ? {} : { tensorflow: version }),
      ...(git === '' ? {} : { tensorflowGit: git }),
      ...(declared.size === 0 ? {} : { declaredOps: [...declared].sort() }),
    }),
  };
}

/** Field 1 of a message. */
function readName(bytes: Uint8Array, start: number, end: number, names: Names): string {
  let name = '';
  eachField(
    bytes,
    start,
    end,
    messages((id, from, to) => {
      if (id === 1) name = names.keep(from, to);
    }),
  );
  return name;
}

type Part = { readonly start: number; readonly end: number; readonly id: number };
type GraphParts = { readonly main: Body; readonly library: Map<string, Body>; readonly places: Map<Body, Part[]> };

/** GraphDef: nodes (1), and its library (2) of functions (1) with nodes (3) of their own. */
function graphReader(bytes: Uint8Array, names: Names) {
  const parts: GraphParts = { main: emptyBody(), library: new Map(), places: new Map() };
  const { main, library, places } = parts;
  const readNodes = (body: Body, part: Part): void => {
    names.count();
    const others = places.get(body);
    if (others === undefined) places.set(body, [part]);
    else others.push(part);
    const add: Visit = messages((id, from, to) => id === part.id && addNode(bytes, from, to, body, names));
    eachField(bytes, part.start, part.end, add);
  };
  const readFunction = (start: number, end: number): void => {
    const body = emptyBody();
    names.count(FUNCTION);
    let name = '';
    eachField(
      bytes,
      start,
      end,
      messages((id, from, to) => id === 1 && (name = readName(bytes, from, to, names))),
    );
    readNodes(body, { start, end, id: 3 });
    library.set(name, body);
  };
  const readLibrary: Visit = messages((id, from, to) => id === 1 && readFunction(from, to));
  return {
    read: (start: number, end: number): void => {
      readNodes(main, { start, end, id: 1 });
      eachField(
        bytes,
        start,
        end,
        messages((id, from, to) => id === 2 && eachField(bytes, from, to, readLibrary)),
      );
    },
    report: (version: string | undefined) => reportOf(bytes, parts, version, names),
  };
}

function reportOf(
  bytes: Uint8Array,
  { main, library, places }: GraphParts,
  version: string | undefined,
  names: Names,
): Pick<GraphReport, 'nodes' | 'functions' | 'ops' | 'features'> {
  const { ops, used } = countOps(main, library);
  const judge = judgeOps(version);
  const list = [...ops].map(([op, counted]): OpReport => ({ op, verdict: judge(op), ...counted }));
  const bodies = used.map((body) => ({ body, nodes: eachNode(bytes, places.get(body) ?? []) }));
  return {
    nodes: main.nodes,
    functions: library.size,
    ops: list.sort((a, b) => (a.op < b.op ? -1 : 1)),
    features: readFeatures(bytes, bodies, names),
  };
}

/** Every node in a body's messages. */
function eachNode(bytes: Uint8Array, parts: readonly Part[]): EachNode {
  return (visit) => {
    for (const { start, end, id } of parts)
      eachField(
        bytes,
        start,
        end,
        messages((part, from, to) => part === id && visit(from, to)),
      );
  };
}
