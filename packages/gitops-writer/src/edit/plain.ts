import { type Document, isAlias, isNode, isPair, isScalar, type Node, parseAllDocuments, visit } from 'yaml';

/** One plain YAML document as a value, or what keeps it from being one. An empty text is null. */
export function readPlain(text: string): { readonly value: unknown } | { readonly problems: readonly string[] } {
  const [document, second] = parseAllDocuments(text, { uniqueKeys: true });
  if (document === undefined) return { value: null };
  if (second !== undefined) return { problems: ['it holds more than one YAML document'] };
  const broken = brokenness(document);
  const problems = broken.length > 0 ? broken : oddities(document.contents);
  return problems.length > 0 ? { problems } : { value: document.toJS() };
}

/** Broken syntax and duplicate keys, as parts of a sentence. */
export const brokenness = ({ errors }: Document.Parsed): string[] =>
  errors.map(({ message }) => message.split('\n')[0]?.replace(/:$/, '') ?? 'broken YAML');

/**
 * Anchors, aliases, tags and merge keys in a part of a document, as parts of a sentence: a value with one of them stands
 * for more, or for something else, than a reader of its place sees.
 */
export function oddities(part: unknown): string[] {
  const found = new Set<string>();
  if (!isNode(part) && !isPair(part)) return [];
  visit(part as Node, {
    Node: (_, node) => {
      for (const oddity of ownOddities(node)) found.add(oddity);
    },
    Pair: (_, { key }) => {
      if (isMergeKey(key)) found.add(NO_MERGE);
    },
  });
  return [...found];
}

/** The same for the node alone, without what is in it. */
export function ownOddities(node: Node): string[] {
  if (isAlias(node)) return [NO_ANCHORS];
  const anchor = node.anchor === undefined ? [] : [NO_ANCHORS];
  // A tag is only there when somebody wrote it.
  return node.tag === undefined ? anchor : [...anchor, `tags are not allowed, and it has ${shortTag(node.tag)}`];
}

export const isMergeKey = (key: unknown): boolean => isScalar(key) && key.value === '<<';

export const NO_MERGE = 'merge keys (<<) are not allowed; write out what they stand for';
const NO_ANCHORS = 'anchors and aliases are not allowed; write each value where it is used';

const shortTag = (tag: string): string => tag.replace(/^tag:yaml\.org,2002:/, '!!').slice(0, 60);
