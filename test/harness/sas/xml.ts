/** An element: names keep their prefixes, text is that of the element itself. */
export type Element = {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
  readonly text: string;
};

const TOKEN =
  /<!\[CDATA\[([\s\S]*?)\]\]>|<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<\/([^\s>]+)\s*>|<([^\s/>]+)((?:\s+[^\s=]+="[^"<]*")*)\s*(\/?)>|([^<]+)/y;

/** Reads a document; throws where it is not well-formed (as far as our own files go: no DTD, attributes in double quotes). */
export function parseXml(text: string): Element {
  const top: Open = { name: '', attributes: {}, children: [], text: '' };
  const open: Open[] = [top];
  TOKEN.lastIndex = 0;
  for (let at = 0; at < text.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(text);
    if (found === null) throw new Error(`not well-formed at ${at}: ${text.slice(at, at + 60)}`);
    const [, cdata, end, start, attributes, self, words] = found;
    const current = open.at(-1) ?? top;
    if (words !== undefined) current.text += unescaped(words);
    if (cdata !== undefined) current.text += cdata;
    if (end !== undefined && open.pop()?.name !== end) throw new Error(`</${end}> closes another element at ${at}`);
    if (start === undefined) continue;
    const element: Open = { name: start, attributes: attributesOf(attributes ?? ''), children: [], text: '' };
    current.children.push(element);
    if (self === '') open.push(element);
  }
  const [root, ...others] = top.children;
  if (open.length > 1 || root === undefined || others.length > 0)
    throw new Error('there is not one root element, closed');
  return root;
}

type Open = { name: string; attributes: Record<string, string>; children: Open[]; text: string };

function attributesOf(text: string): Record<string, string> {
  const pairs = [...text.matchAll(/([^\s=]+)="([^"]*)"/g)].map(
    ([, name = '', value = '']) => [name, unescaped(value)] as const,
  );
  if (new Set(pairs.map(([name]) => name)).size !== pairs.length) throw new Error(`an attribute comes twice: ${text}`);
  return Object.fromEntries(pairs);
}

function unescaped(text: string): string {
  if (/&(?!(amp|lt|gt|quot|apos);)/.test(text)) throw new Error(`an & that is no entity: ${text}`);
  const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
  return text.replaceAll(/&(\w+);/g, (_all, name: string) => entities[name] ?? '');
}

/** Every element below, the element itself first. */
export const everyElement = (element: Element): Element[] => [element, ...element.children.flatMap(everyElement)];
