/** Rows as aligned columns; numbers to the right. The first row may be a header like any other. */
export function table(rows: readonly (readonly string[])[], indent = ''): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  const numeric = widths.map(
    (_, i) => rows.slice(1).length > 0 && rows.slice(1).every((row) => /^(-?[\d.,]+%?|-|)$/.test(row[i] ?? '')),
  );
  return rows
    .map((row) =>
      row.map((cell, i) => (numeric[i] ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0))).join('  '),
    )
    .map((line) => indent + line.trimEnd())
    .join('\n');
}
