import type { CardContent, CardTone } from '@fairway/core';

const LONGEST_SUBJECT = 200;

/** One line, whatever the title holds. */
export const mailSubject = ({ title }: CardContent): string => `[Fairway] ${oneLine(title).slice(0, LONGEST_SUBJECT)}`;

/** The message as plain text. */
export function mailText(content: CardContent): string {
  const facts = allFacts(content).map(({ title, value }) => `${oneLine(title)}: ${oneLine(value)}`);
  const links = content.links.map(({ title, url }) => `${oneLine(title)}: ${url}`);
  const parts = [content.title, content.text, facts.join('\n'), links.join('\n')];
  return `${parts.filter((part) => part.trim() !== '').join('\n\n')}\n`;
}

const COLOURS: Readonly<Record<CardTone, string>> = {
  default: '#5b5b5b',
  good: '#1d7a3a',
  warning: '#9a6100',
  attention: '#b3261e',
  accent: '#2456b3',
};

/** The message as HTML that every mail program shows: inline styles, one table, nothing loaded. */
export function mailHtml(content: CardContent): string {
  const paragraphs = content.text.split('\n').filter((line) => line.trim() !== '');
  const rows = allFacts(content).map(
    ({ title, value }) =>
      `<tr><td style="padding:2px 16px 2px 0;color:#5b5b5b;vertical-align:top">${escape(title)}</td><td style="padding:2px 0">${escape(value)}</td></tr>`,
  );
  const links = content.links
    .filter(({ url }) => /^https?:\/\//i.test(url))
    .map(({ title, url }) => `<a href="${escape(url)}">${escape(title)}</a>`);
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"></head>',
    '<body style="font-family:Segoe UI,Helvetica,Arial,sans-serif;font-size:14px;color:#1f1f1f">',
    `<div style="border-left:4px solid ${COLOURS[content.tone]};padding-left:12px;overflow-wrap:anywhere">`,
    `<p style="font-size:18px;font-weight:600;margin:0 0 8px">${escape(content.title)}</p>`,
    ...paragraphs.map((line) => `<p style="margin:0 0 8px">${escape(line)}</p>`),
    `<table cellspacing="0" cellpadding="0" style="font-size:14px;margin:8px 0">${rows.join('')}</table>`,
    ...(links.length === 0 ? [] : [`<p style="margin:8px 0">${links.join(' &middot; ')}</p>`]),
    '</div></body></html>',
  ].join('\n');
}

const allFacts = ({ facts, event, deliveryId }: CardContent) => [
  ...facts,
  { title: 'Event', value: event },
  { title: 'Delivery', value: deliveryId },
];

const oneLine = (text: string): string => text.replaceAll(/\p{Cc}+/gu, ' ').trim();

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escape = (text: string): string => text.replaceAll(/[&<>"]/g, (letter) => ESCAPES[letter] ?? letter);
