import { type Html, html, trusted } from '../../web/html.ts';

const STYLE = trusted(`
:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--ink:#1c2430;--quiet:#5d6b7e;--line:#d9dfe7;--link:#0b5cad;
--green:#116b3a;--green-bg:#e3f6ea;--red:#a61b29;--red-bg:#fdeaec;--violet:#6036a8;--violet-bg:#efe8fb;--amber:#7f5200;--amber-bg:#fff3d6;--code:#eef1f5}
@media(prefers-color-scheme:dark){:root{--bg:#11151b;--card:#181e26;--ink:#e4e9f0;--quiet:#98a6b8;--line:#2c3643;--link:#7db7f5;
--green:#6fd69a;--green-bg:#12301f;--red:#ff98a1;--red-bg:#3a171b;--violet:#c6a8ff;--violet-bg:#2a1f42;--amber:#f2c46d;--amber-bg:#36290d;--code:#222a35}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main,header>div{max-width:64rem;margin:0 auto;padding:0 1.25rem}header{background:var(--card);border-bottom:1px solid var(--line);padding:.75rem 0;margin-bottom:1.75rem}
header nav{display:flex;gap:.6rem;align-items:baseline;flex-wrap:wrap}header .brand{font-weight:650;color:var(--ink)}
a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}a:focus-visible,button:focus-visible,summary:focus-visible,select:focus-visible{outline:2px solid var(--link);outline-offset:2px}
h1{font-size:1.5rem;line-height:1.3;margin:.2rem 0 .6rem;overflow-wrap:anywhere}h2{font-size:1.1rem;margin:2rem 0 .6rem}h3{font-size:1rem;margin:1.2rem 0 .4rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:1rem 1.25rem;margin:0 0 1rem}.card>:first-child{margin-top:0}.card>:last-child{margin-bottom:0}
.rows{list-style:none;padding:0;margin:0;background:var(--card);border:1px solid var(--line);border-radius:.6rem}.rows li{padding:.65rem 1.1rem;border-top:1px solid var(--line);display:flex;gap:.75rem;align-items:baseline}.rows li:first-child{border-top:0}
.rows .grow{flex:1 1 16rem;min-width:0;overflow-wrap:anywhere}.rows .badge{min-width:4.8rem;text-align:center}
.filter{display:flex;gap:.4rem;margin:0 0 .7rem}.filter a{padding:.1rem .8rem;border-radius:1rem;border:1px solid transparent}.filter a[aria-current]{background:var(--card);border-color:var(--line);color:var(--ink);font-weight:600}@media(max-width:40rem){.rows li{flex-wrap:wrap;row-gap:.15rem}}
.quiet{color:var(--quiet);font-size:.92em}.pad{padding:.3rem .8rem}
.badge,.tag{display:inline-block;border-radius:1rem;padding:.05rem .65rem;font-size:.82rem;font-weight:600;white-space:nowrap}.tag{background:var(--code);color:var(--quiet);font-weight:500}
.open,.success{background:var(--green-bg);color:var(--green)}.closed,.error,.failure{background:var(--red-bg);color:var(--red)}.merged{background:var(--violet-bg);color:var(--violet)}.pending,.warning{background:var(--amber-bg);color:var(--amber)}
code,pre,.diff{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}code{background:var(--code);border-radius:.25rem;padding:.1em .35em}pre{background:var(--code);padding:.8rem 1rem;border-radius:.4rem;overflow:auto}pre code{padding:0;background:none}
table{border-collapse:collapse}.body table{margin:.6rem 0}.body th,.body td{border:1px solid var(--line);padding:.3rem .7rem;text-align:left}.body .right{text-align:right;font-variant-numeric:tabular-nums}.body{overflow-wrap:anywhere}.body th,.body td{overflow-wrap:break-word}.body td:first-child{white-space:nowrap}
.body details{margin:.6rem 0}.body summary{cursor:pointer;color:var(--link)}.body pre .add,.body pre .del,.body pre .hunk{display:inline-block;min-width:100%}.body pre .add{background:var(--green-bg)}.body pre .del{background:var(--red-bg)}.body pre .hunk{color:var(--quiet)}
blockquote{margin:.6rem 0;padding:.1rem 1rem;border-left:3px solid var(--line);color:var(--quiet)}.scroll{overflow-x:auto}
.file{background:var(--card);border:1px solid var(--line);border-radius:.6rem;margin:0 0 .8rem;overflow:hidden}.file summary{padding:.55rem .9rem;cursor:pointer;overflow-wrap:anywhere}.file[open] summary{border-bottom:1px solid var(--line)}.counts{float:right;font-size:.9rem;font-variant-numeric:tabular-nums}.plus{color:var(--green)}.minus{color:var(--red)}
.diff{width:100%}.diff td{padding:0 .6rem;white-space:pre}.diff td:last-child{width:100%}.diff .no{color:var(--quiet);text-align:right;user-select:none;padding:0 .5rem;min-width:2.6rem;vertical-align:top}.diff .sign{user-select:none;display:inline-block;width:1.1em;color:var(--quiet)}
.diff .add{background:var(--green-bg)}.diff .del{background:var(--red-bg)}.diff .hunk td{color:var(--quiet);background:var(--code);padding-top:.15rem;padding-bottom:.15rem}
form{display:flex;gap:.6rem;flex-wrap:wrap;align-items:center}button,select{font:inherit;border-radius:.4rem;border:1px solid var(--line);padding:.4rem 1rem;background:var(--card);color:var(--ink)}button{cursor:pointer;font-weight:600}button.go{background:#157a43;border-color:#157a43;color:#fff}button.go:hover{background:#0f6637}button.stop{color:var(--red)}
.notice{background:var(--red-bg);color:var(--red);border-radius:.6rem;padding:.7rem 1.1rem;margin:0 0 1rem}.meta{display:flex;gap:.6rem;flex-wrap:wrap;align-items:baseline;margin:0 0 1.2rem}footer{max-width:64rem;margin:2.5rem auto 2rem;padding:0 1.25rem}
`);

/** A whole page. `trail` is the way here: name and link of each step. */
export function layout(title: string, trail: ReadonlyArray<readonly [string, string]>, content: Html): Html {
  return html`<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${title}</title><link rel="icon" href="data:,"><style>${STYLE}</style></head>
<body><header><div><nav aria-label="Breadcrumb"><a class="brand" href="/">Fairway forge</a>${trail.map(
    ([name, url]) => html`<span aria-hidden="true" class="quiet">/</span><a href="${url}">${name}</a>`,
  )}</nav></div></header>
<main>${content}</main>
<footer class="quiet">Embedded Git host for one machine. It speaks Gitea’s API; use a real forge in production.</footer></body></html>`;
}

/** A time as a reader likes it, with the exact one in the markup. */
export const when = (iso: string): Html =>
  html`<time datetime="${iso}">${new Date(iso).toISOString().slice(0, 16).replace('T', ' ')} UTC</time>`;
