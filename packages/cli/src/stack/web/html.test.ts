import { expect, it } from 'vitest';
import { html, trusted } from './html.ts';

it('escapes values, joins lists, leaves out nothing-values and keeps HTML', () => {
  const items = ['<a>', '"b"'].map((item) => html`<li>${item}</li>`);
  const built = html`<ul>${items}</ul>${undefined}${false}${3}${trusted('<hr>')}`;
  expect(built.html).toBe('<ul><li>&lt;a&gt;</li><li>&quot;b&quot;</li></ul>3<hr>');
});
