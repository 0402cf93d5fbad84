import { readFileSync, truncateSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { unescapeMarkdown } from '../web/markdown.ts';

/** One card as it was received. */
type Receipt = { readonly at: string; readonly card: unknown; readonly problems: readonly string[] };

/** One card as it is kept: the same delivery posted again only counts up. */
export type KeptCard = Receipt & {
  readonly title: string;
  readonly event: string;
  readonly deliveryId: string;
  readonly valid: boolean;
  readonly seen: number;
};

export type Ledger = {
  /** Oldest first. */
  all(): readonly KeptCard[];
  /** On disk when it resolves. */
  add(receipt: Receipt): Promise<void>;
};

/** Opens the file of receipts (one JSON object a line); a last line cut short by a kill is dropped, it was never acknowledged. */
export function openLedger(file: string): Ledger {
  const cards: KeptCard[] = [];
  for (const line of wholeLines(file)) keep(cards, JSON.parse(line) as Receipt);
  let writing: Promise<void> = Promise.resolve();
  return {
    all: () => cards,
    add: async (receipt) => {
      writing = writing.catch(() => {}).then(() => appendFile(file, `${JSON.stringify(receipt)}\n`));
      await writing;
      keep(cards, receipt);
    },
  };
}

function wholeLines(file: string): string[] {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch {
    return [];
  }
  const end = bytes.lastIndexOf('\n') + 1;
  if (end < bytes.length) truncateSync(file, end);
  return bytes.subarray(0, end).toString('utf8').split('\n').filter(Boolean);
}

function keep(cards: KeptCard[], receipt: Receipt): void {
  const { title, facts } = gist(receipt.card);
  const deliveryId = facts.get('Delivery') ?? '';
  const known = deliveryId === '' ? -1 : cards.findIndex((card) => card.deliveryId === deliveryId);
  const before = cards[known];
  if (before) cards[known] = { ...before, seen: before.seen + 1 };
  else {
    const valid = receipt.problems.length === 0;
    cards.push({ ...receipt, title, event: facts.get('Event') ?? '', deliveryId, valid, seen: 1 });
  }
}

/** The first text of a card and its facts by title, as a reader sees them; wherever in the card they are. */
function gist(card: unknown): { title: string; facts: Map<string, string> } {
  const facts = new Map<string, string>();
  let title: string | undefined;
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) return (node as readonly unknown[]).forEach(visit);
    if (typeof node !== 'object' || node === null) return;
    const { type, text, facts: list, ...rest } = node as Record<string, unknown>;
    if (type === 'TextBlock' && typeof text === 'string') title ??= unescapeMarkdown(text);
    for (const fact of Array.isArray(list) ? (list as readonly unknown[]) : []) {
      const { title: name, value } = (fact ?? {}) as Record<string, unknown>;
      if (typeof name === 'string' && typeof value === 'string') facts.set(name, unescapeMarkdown(value));
    }
    Object.values(rest).forEach(visit);
  };
  visit(card);
  return { title: title ?? '', facts };
}
