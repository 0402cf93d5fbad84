import type { CardContent } from '@fairway/core';
import { expect, test } from 'vitest';
import { mailHtml, mailSubject, mailText } from './mail.ts';

const content: CardContent = {
  event: 'alert',
  title: 'home_equity <b>decays</b>\r\nBcc: all@example.com',
  text: 'AUC is 0.61.\nKS & lift fell.',
  facts: [{ title: 'AUC', value: '0.610 "low"' }],
  links: [
    { title: 'Dashboard', url: 'https://dash/?a=1&b="2' },
    { title: 'Evil', url: 'javascript:alert(1)' },
  ],
  deliveryId: 'card-1-mail',
  tone: 'attention',
};

test('the subject is one line', () => {
  expect(mailSubject(content)).toBe('[Fairway] home_equity <b>decays</b> Bcc: all@example.com');
});

test('the text says all of it', () => {
  expect(mailText({ ...content, title: 'home_equity decays' })).toBe(
    `home_equity decays

AUC is 0.61.
KS & lift fell.

AUC: 0.610 "low"
Event: alert
Delivery: card-1-mail

Dashboard: https://dash/?a=1&b="2
Evil: javascript:alert(1)
`,
  );
});

test('the HTML escapes what it shows and links to the web alone', () => {
  const html = mailHtml(content);
  expect(html).toContain('home_equity &lt;b&gt;decays&lt;/b&gt;');
  expect(html).toContain('0.610 &quot;low&quot;');
  expect(html).toContain('href="https://dash/?a=1&amp;b=&quot;2"');
  expect(html).not.toContain('javascript:');
});
