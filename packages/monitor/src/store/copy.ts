import type { Copy } from './batch.ts';
import { type CopyRows, copyRows } from './copy-rows.ts';

/**
 * COPY … FROM STDIN in binary format: 0.55 × the server's cost of text for rows with bytes and JSON (nothing is escaped,
 * written in hex or parsed). `write` fills in one row for each item. No part where there are no items.
 */
export function copyOf<T>(
  table: string,
  columns: readonly string[],
  items: readonly T[],
  write: (row: CopyRows, item: T) => void,
): Copy[] {
  if (items.length === 0) return [];
  const text = `copy ${table} (${columns.join(', ')}) from stdin (format binary)`;
  return [{ text, pieces: pieces(copyRows(columns.length, items.length), items, write) }];
}

/** A large pack goes down in pieces, so that it is not one large buffer. */
function* pieces<T>(rows: CopyRows, items: readonly T[], write: (row: CopyRows, item: T) => void): Generator<Buffer> {
  for (const item of items) {
    rows.begin();
    write(rows, item);
    if (rows.isFull) yield rows.take();
  }
  yield rows.end();
}
