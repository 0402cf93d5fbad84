import { html, type Html, trusted } from '../web/html.ts';
import { inlineMarkdown } from '../web/markdown.ts';
import type { KeptCard } from './ledger.ts';

const STYLE = trusted(`
:root{color-scheme:light dark;--bg:#f5f5f5;--card:#fff;--ink:#242424;--quiet:#616161;--line:#e0e0e0;--accent:#5b5fc7;--good:#0e700e;--good-bg:#e9f5e9;--warning:#835b00;--warning-bg:#fdf3df;--attention:#b10e1c;--attention-bg:#fdeeef;--accent-bg:#eeeefa;--emphasis-bg:#f0f0f0}
@media(prefers-color-scheme:dark){:root{--bg:#1f1f1f;--card:#292929;--ink:#fff;--quiet:#adadad;--line:#404040;--accent:#a6a7f5;--good:#7cc47c;--good-bg:#1d3320;--warning:#f2c661;--warning-bg:#3a2f15;--attention:#f1909a;--attention-bg:#43191d;--accent-bg:#2f2f4a;--emphasis-bg:#333}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:14px/1.45 "Segoe UI",system-ui,sans-serif}main{max-width:46rem;margin:0 auto;padding:1.5rem 1rem 3rem}
h1{font-size:1.25rem;margin:0 0 .25rem}.quiet{color:var(--quiet);font-size:.9em}article{margin:1.25rem 0;display:flex;gap:.75rem}.face{flex:none;width:2.1rem;height:2.1rem;border-radius:50%;background:#5b5fc7;color:#fff;display:grid;place-items:center;font-weight:600}
.bubble{flex:1;min-width:0}.by{margin:0 0 .35rem}.card{background:var(--card);border:1px solid var(--line);border-radius:.4rem;padding:1rem;box-shadow:0 1px 3px #0002;overflow-wrap:anywhere}
.card>*:first-child{margin-top:0}.card p{margin:.45rem 0}.bleed{margin:-1rem -1rem .75rem;padding:.8rem 1rem}.card>.bleed:first-child{margin-top:-1rem;border-radius:.4rem .4rem 0 0}.box{padding:.5rem .75rem;margin:.5rem 0;border-radius:.25rem}.box.bleed{padding:.8rem 1rem;border-radius:0}.card>.box.bleed:first-child{margin:-1rem -1rem .75rem;border-radius:.35rem .35rem 0 0}.box p{margin:.2rem 0}
.good-box{background:var(--good-bg)}.warning-box{background:var(--warning-bg)}.attention-box{background:var(--attention-bg)}.accent-box{background:var(--accent-bg)}.emphasis-box{background:var(--emphasis-bg)}
.large{font-size:1.25rem;line-height:1.3}.extralarge{font-size:1.5rem}.medium{font-size:1.1rem}.small{font-size:.85rem}.bolder{font-weight:600}.lighter{font-weight:300}.good{color:var(--good)}.warning{color:var(--warning)}.attention{color:var(--attention)}.accent{color:var(--accent)}.subtle{color:var(--quiet)}.monospace{font-family:ui-monospace,monospace}
dl{display:grid;grid-template-columns:fit-content(45%) 1fr;gap:.2rem .9rem;margin:.6rem 0}dt{font-weight:600}dd{margin:0}.columns{display:flex;gap:.75rem;flex-wrap:wrap}.columns>div{flex:1 1 0;min-width:0}img{max-width:100%}
.actions{display:flex;gap:.5rem;flex-wrap:wrap;margin-top:.8rem}.actions a,.actions summary{border:1px solid var(--line);border-radius:.25rem;padding:.3rem .9rem;color:var(--ink);text-decoration:none;font-weight:600;background:var(--card);cursor:pointer}.actions a:hover{background:var(--emphasis-bg)}a{color:var(--accent)}a:focus-visible,summary:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.problems{background:var(--attention-bg);color:var(--attention);border-radius:.25rem;padding:.5rem .9rem .5rem 2rem;margin:.4rem 0 0}
`);

/** All cards, newest first, looking much as Teams shows them. */
export function cardsPage(cards: readonly KeptCard[]): Html {
  const shown = cards.length === 0 ? html`<p class="quiet">No cards yet.</p>` : [...cards].reverse().map(cardView);
  return html`<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Teams cards</title><link rel="icon" href="data:,"><style>${STYLE}</style></head>
<body><main><h1>Teams cards</h1><p class="quiet">What the channel would show. ${cards.length === 1 ? '1 card' : `${cards.length} cards`}.</p>${shown}</main></body></html>`;
}

function cardView({ at, card, problems, seen }: KeptCard): Html {
  const again = seen > 1 && html` <span>· posted ${seen} times, shown once</span>`;
  const wrong =
    problems.length > 0 && html`<ul class="problems">${problems.map((problem) => html`<li>${problem}</li>`)}</ul>`;
  return html`<article><div class="face" aria-hidden="true">F</div><div class="bubble"><p class="by"><strong>Fairway</strong> <span class="quiet">via Workflows · <time datetime="${at}">${at.slice(0, 16).replace('T', ' ')} UTC</time>${again}</span></p>
<div class="card">${content(card)}</div>${wrong}</div></article>`;
}

/** A node of a card; what is not as it should be shows nothing, the problems beside the card say why. */
type Node = Readonly<Record<string, unknown>>;
const nodes = (value: unknown): Node[] =>
  (Array.isArray(value) ? (value as readonly unknown[]) : []).filter(
    (item): item is Node => typeof item === 'object' && item !== null,
  );
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const word = (value: unknown): string =>
  text(value)
    .toLowerCase()
    .replaceAll(/[^a-z]/g, '');

function content(card: unknown): Html {
  const [node] = nodes([card]);
  return node ? html`${nodes(node['body']).map(element)}${actions(node['actions'])}` : html``;
}

function element(node: Node): Html {
  switch (node['type']) {
    case 'TextBlock': {
      const looks = [node['size'], node['weight'], node['color'], node['fontType']].map(word).join(' ');
      return html`<p class="${looks}${node['isSubtle'] === true ? ' subtle' : ''}">${inlineMarkdown(text(node['text']))}</p>`;
    }
    case 'FactSet':
      return html`<dl>${nodes(node['facts']).map(
        (fact) => html`<dt>${inlineMarkdown(text(fact['title']))}</dt><dd>${inlineMarkdown(text(fact['value']))}</dd>`,
      )}</dl>`;
    case 'Container':
      return html`<div class="box ${word(node['style'])}-box${node['bleed'] === true && ' bleed'}">${nodes(node['items']).map(element)}</div>`;
    case 'ColumnSet':
      return html`<div class="columns">${nodes(node['columns']).map((column) => html`<div>${nodes(column['items']).map(element)}</div>`)}</div>`;
    case 'Image':
      return html`<img src="${link(node['url'])}" alt="${text(node['altText'])}">`;
    case 'ActionSet':
      return actions(node['actions']);
    default:
      return html``;
  }
}

function actions(value: unknown): Html {
  const all = nodes(value).map((action) => {
    const title = text(action['title']);
    if (action['type'] === 'Action.OpenUrl') return html`<a href="${link(action['url'])}" rel="noopener">${title}</a>`;
    if (action['type'] !== 'Action.ShowCard') return html``;
    return html`<details><summary>${title}</summary><div class="box">${content(action['card'])}</div></details>`;
  });
  return all.length === 0 ? html`` : html`<div class="actions">${all}</div>`;
}

const link = (url: unknown): string => (/^https?:\/\//.test(text(url)) ? text(url) : '#');
