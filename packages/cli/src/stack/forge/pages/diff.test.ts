import { expect, it } from 'vitest';
import { diffView, parseDiff } from './diff.ts';

const TEXT = `diff --git a/a.yaml b/a.yaml
index 111..222 100644
--- a/a.yaml
+++ b/a.yaml
@@ -10,3 +10,3 @@ spec:
 same
-old
+new <b>
\\ No newline at end of file
diff --git a/x.bin b/x.bin
new file mode 100644
index 000..333
Binary files /dev/null and b/x.bin differ
diff --git a/old name b/new name
similarity index 100%
rename from old name
rename to new name
diff --git a/gone b/gone
deleted file mode 100644
--- a/gone
+++ /dev/null
@@ -1 +0,0 @@
--- a line that looks like a header
`;

it('reads files and line numbers', () => {
  const files = parseDiff(TEXT);
  expect(files.map(({ path, note }) => [path, note])).toEqual([
    ['a.yaml', ''],
    ['x.bin', 'new, binary'],
    ['new name', 'renamed from old name'],
    ['gone', 'deleted'],
  ]);
  expect(files[0]?.lines).toEqual([
    { kind: 'hunk', text: '@@ -10,3 +10,3 @@ spec:' },
    { kind: 'same', old: 10, new: 10, text: 'same' },
    { kind: 'del', old: 11, text: 'old' },
    { kind: 'add', new: 11, text: 'new <b>' },
    { kind: 'hunk', text: '\\ No newline at end of file' },
  ]);
  expect(files[3]?.lines.at(-1)).toEqual({ kind: 'del', old: 1, text: '-- a line that looks like a header' });
});

it('shows them escaped, and of a very long file the beginning and the way to the rest', () => {
  expect(diffView(parseDiff(TEXT), '/raw').html).toContain('new &lt;b&gt;');
  const lines = Array.from({ length: 700 }, (_, i) => ({ kind: 'add' as const, new: i + 1, text: 'x' }));
  const { html } = diffView([{ path: 'long', note: '', lines }], '/raw');
  expect(html.match(/<tr/g)).toHaveLength(600);
  expect(html).toContain('100 more lines in <a href="/raw">');
  expect(diffView([], '/raw').html).toContain('No changes');
});
