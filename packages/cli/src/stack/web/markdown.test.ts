import { describe, expect, it } from 'vitest';
import { inlineMarkdown, markdown, unescapeMarkdown } from './markdown.ts';

describe('markdown', () => {
  it.each([
    ['# One\n### Three ###', '<h2>One</h2>\n<h4>Three</h4>'],
    ['a\nb\n\nc', '<p>a<br>b</p>\n\n<p>c</p>'],
    ['- a\n- b\n  - c\n- d', '<ul><li>a</li><li>b<ul><li>c</li></ul></li><li>d</li></ul>'],
    ['1. a\n2. b', '<ol><li>a</li><li>b</li></ol>'],
    ['- [x] done', '<ul><li><span aria-hidden="true">☑</span> done</li></ul>'],
    ['> a\n> b', '<blockquote><p>a<br>b</p></blockquote>'],
    ['```yaml\na: <b>\n- **x**\n```\nafter', '<pre><code>a: &lt;b&gt;\n- **x**</code></pre>\n<p>after</p>'],
    ['```\nnever closed', '<pre><code>never closed</code></pre>'],
    ['---', '<hr>'],
    ['```diff\n+a <b>\n c\n```', '<pre><code><span class="add">+a &lt;b&gt;</span>\n c</code></pre>'],
    [
      'a\n<details>\n<summary>b & c</summary>\n\n```\n</details>\n```\n\n</details>\nd',
      '<p>a</p>\n<details><summary>b &amp; c</summary>\n<pre><code>&lt;/details&gt;</code></pre>\n</details>\n<p>d</p>',
    ],
    ['<details>\n<summary>open', '<p>&lt;details&gt;<br>&lt;summary&gt;open</p>'],
    [
      '<details>\n<summary><b>x</b></summary>\n</details>',
      '<p>&lt;details&gt;<br>&lt;summary&gt;&lt;b&gt;x&lt;/b&gt;&lt;/summary&gt;<br>&lt;/details&gt;</p>',
    ],
    ['before <!-- fairway\nmarker --> after', '<p>before  after</p>'],
    ['', ''],
  ])('%j', (text, html) => {
    expect(markdown(text).html).toBe(html);
  });

  it('makes tables, with escaped bars and aligned numbers', () => {
    const { html } = markdown('| model | AUC |\n|---|---:|\n| a \\| b | **0.9** |\nafter');
    expect(html).toContain('<th>model</th><th class="right">AUC</th>');
    expect(html).toContain('<td>a | b</td><td class="right"><strong>0.9</strong></td>');
    expect(html).toContain('</table></div>\n<p>after</p>');
  });

  it('ends on any text', () => {
    for (const text of ['>', '- ', '|', '|\n|-', '1.', '**', '`', '[a](', '\n\n\n', '# ', '  - x\n- y']) {
      expect(() => markdown(text), text).not.toThrow();
    }
  });
});

describe('inline marks', () => {
  it.each([
    ['**b** *i* _i_ `c <x>`', '<strong>b</strong> <em>i</em> <em>i</em> <code>c &lt;x&gt;</code>'],
    ['home_equity_model 2 * 3 * 4', 'home_equity_model 2 * 3 * 4'],
    [
      '[a **b**](https://x.example/?a=1&b=2)',
      '<a href="https://x.example/?a=1&amp;b=2" rel="nofollow noopener">a <strong>b</strong></a>',
    ],
    [
      'see https://x.example/a_b_c.',
      'see <a href="https://x.example/a_b_c" rel="nofollow noopener">https://x.example/a_b_c</a>.',
    ],
    ['[x](javascript:alert(1))', '[x](javascript:alert(1))'],
    ['[x](//evil.example)', '[x](//evil.example)'],
    ['<img src=x onerror=y>', '&lt;img src=x onerror=y&gt;'],
    [
      '[a" onclick="b](https://x.example/"y)',
      '<a href="https://x.example/&quot;y" rel="nofollow noopener">a&quot; onclick=&quot;b</a>',
    ],
    ['home\\_equity \\*x\\*', 'home_equity *x*'],
    ['\\`a\\` ``b`c`` \\&lt; \\@x', '`a` <code>b`c</code> &amp;lt; @x'],
    ['a\nb', 'a<br>b'],
    ['\uE0000\uE000', '0'],
  ])('%j', (text, html) => {
    expect(inlineMarkdown(text).html).toBe(html);
  });

  it('escapes can be taken away', () => {
    expect(unescapeMarkdown('home\\_equity \\<b> C:\\\\x')).toBe('home_equity <b> C:\\x');
  });
});
