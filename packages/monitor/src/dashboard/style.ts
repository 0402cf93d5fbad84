/** Contrast of every text colour on its ground is at least 4.5:1, of every mark at least 3:1, in both themes. */
export const STYLE = `
:root{color-scheme:light dark;
--ground:#f4f6f8;--panel:#fff;--text:#17202b;--soft:#52606d;--line:#d5dce4;--link:#0b57b0;--bar:#0b57b0;--track:#e3e9ef;
--healthy:#17703a;--healthy-ground:#e3f4e8;--warning:#7d5100;--warning-ground:#fdf0cf;--alert:#b3261e;--alert-ground:#fde7e5;
--insufficient:#52606d;--insufficient-ground:#e9edf1;--open-ground:#e2eefb;--auc:#0b57b0;--ks:#6d3fb0;--whisker:#8195aa;
--heat1:#fff6dd;--heat2:#fbd58a;--heat3:#e99a55;--on-heat:#17202b}
@media (prefers-color-scheme:dark){:root{
--ground:#0f151c;--panel:#18212b;--text:#e8edf3;--soft:#a4b1bf;--line:#2f3b48;--link:#83b9ff;--bar:#5c9ff2;--track:#2a3542;
--healthy:#6fd694;--healthy-ground:#16331f;--warning:#f3c35b;--warning-ground:#392c0c;--alert:#ff9d94;--alert-ground:#45201d;
--insufficient:#a4b1bf;--insufficient-ground:#27313c;--open-ground:#1a2f4a;--auc:#7db4ff;--ks:#c5a2ff;--whisker:#7d8fa1;
--heat1:#3a3416;--heat2:#6b4e12;--heat3:#8f4a14;--on-heat:#fff}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
a{color:var(--link)}a:focus-visible,summary:focus-visible,.panel:focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:3px}
.skip{position:absolute;left:-9999px}.skip:focus{left:1rem;top:.5rem;background:var(--panel);padding:.4rem .8rem}
header{background:var(--panel);border-bottom:1px solid var(--line)}
header>div,main,footer{max-width:74rem;margin:0 auto;padding:0 1.5rem}
header>div{display:flex;align-items:center;gap:2rem;min-height:3.5rem;flex-wrap:wrap}
.brand{display:flex;align-items:center;gap:.6rem;font-weight:700;font-size:1.1rem;color:var(--text);text-decoration:none;letter-spacing:.01em}
.brand path{fill:none;stroke:var(--link);stroke-width:2.2;stroke-linecap:round;stroke-linejoin:round}
nav ul{display:flex;gap:.25rem;list-style:none;margin:0;padding:0}
nav a{display:block;padding:.35rem .75rem;border-radius:6px;text-decoration:none;color:var(--soft);font-weight:500}
nav a:hover{color:var(--text);background:var(--track)}nav a[aria-current]{color:var(--text);background:var(--track);font-weight:600}
main{padding-top:1.75rem;padding-bottom:2.5rem}
footer{padding-bottom:2rem;color:var(--soft);font-size:.85rem}
h1{font-size:1.65rem;line-height:1.25;margin:0 0 .35rem;letter-spacing:-.01em}
h2{font-size:1.1rem;margin:2.25rem 0 .75rem}h3{font-size:1rem;margin:0 0 .25rem}
.lead{color:var(--soft);margin:0 0 1.5rem;font-size:1.02rem;max-width:52rem}
.panel{background:var(--panel);border:1px solid var(--line);border-radius:10px;overflow-x:auto}
.note{background:var(--warning-ground);color:var(--warning);border-radius:8px;padding:.65rem .9rem;margin:0 0 1.25rem}
.empty{padding:1.4rem 1.1rem;color:var(--soft);margin:0}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.6rem .9rem;border-top:1px solid var(--line);vertical-align:top}
thead th{border-top:0;font-size:.78rem;font-weight:600;color:var(--soft);white-space:nowrap;vertical-align:bottom}
tbody th{font-weight:600}tbody tr:first-child>*{border-top:1px solid var(--line)}
td.number,th.number{text-align:right}td.number{white-space:nowrap}
caption{text-align:left;padding:.9rem .9rem .2rem;color:var(--soft)}
.soft{color:var(--soft)}.small{font-size:.85rem}.nowrap{white-space:nowrap}code{font:.85em/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.badge{display:inline-flex;align-items:center;gap:.4rem;padding:.12rem .6rem .12rem .5rem;border-radius:99px;font-size:.85rem;font-weight:600;white-space:nowrap}
.badge svg{flex:none}.badge svg *{fill:currentColor}.badge .hollow{fill:none;stroke:currentColor;stroke-width:2}
.healthy{color:var(--healthy);background:var(--healthy-ground)}.warning{color:var(--warning);background:var(--warning-ground)}
.alert{color:var(--alert);background:var(--alert-ground)}.insufficient{color:var(--insufficient);background:var(--insufficient-ground)}.open{color:var(--link);background:var(--open-ground)}
.loop{display:grid;grid-template-columns:repeat(6,1fr);gap:0;list-style:none;margin:0;padding:0;counter-reset:step}
.loop li{padding:1rem 1.1rem;position:relative;border-left:1px solid var(--line)}.loop li:first-child{border-left:0}
.loop li:not(:last-child)::after{content:"";position:absolute;right:-.36rem;top:1.5rem;width:.6rem;height:.6rem;background:var(--panel);border-top:2px solid var(--soft);border-right:2px solid var(--soft);transform:rotate(45deg);z-index:1}
.loop .what{color:var(--soft);font-size:.82rem}.loop .count{display:block;font-size:1.5rem;font-weight:650;line-height:1.2;font-variant-numeric:tabular-nums}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(10.5rem,1fr));gap:.9rem;margin:0 0 1rem}
.tile{background:var(--panel);border:1px solid var(--line);border-radius:10px;padding:.8rem 1rem;overflow-wrap:anywhere}
.tile dt{color:var(--soft);font-size:.82rem}.tile dd{margin:0}.tile .value{font-size:1.5rem;font-weight:650;line-height:1.3;font-variant-numeric:tabular-nums}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(26rem,1fr));gap:1rem}
figure{margin:0;background:var(--panel);border:1px solid var(--line);border-radius:10px;padding:1rem 1.1rem .9rem;min-width:0}
figcaption{margin:0 0 .6rem}figcaption p{margin:0;color:var(--soft)}
figure svg{display:block;width:100%;height:auto}
figure details{margin-top:.6rem;font-size:.85rem}figure details table{margin-top:.4rem}figure details th,figure details td{padding:.25rem .5rem}
summary{cursor:pointer;color:var(--link)}
.chart text{fill:var(--soft);font:12px system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif}.chart .value{fill:var(--text);font-weight:600;stroke:var(--panel);stroke-width:4px;paint-order:stroke;stroke-linejoin:round}
.grid{stroke:var(--line)}.whisker{stroke:var(--whisker);stroke-width:1.6}.base{stroke:var(--soft);stroke-width:1.6;stroke-dasharray:6 4}
.limit{stroke:var(--alert);stroke-width:1.6;stroke-dasharray:2 4;stroke-linecap:round}.chart .limit-text{fill:var(--alert)}.turn{stroke:var(--soft);stroke-width:1}
.series{fill:none;stroke-width:2.4;stroke-linejoin:round;stroke-linecap:round}.auc{stroke:var(--auc)}.ks{stroke:var(--ks)}
.mark{stroke:var(--panel);stroke-width:2}.mark-healthy{fill:var(--healthy)}.mark-warning{fill:var(--warning)}.mark-alert{fill:var(--alert)}.mark-insufficient{fill:var(--panel);stroke:var(--insufficient)}
.key{display:flex;flex-wrap:wrap;gap:.35rem 1.1rem;margin:.6rem 0 0;padding:0;list-style:none;color:var(--soft);font-size:.82rem}.key li{display:flex;align-items:center;gap:.4rem}.key svg{width:auto;display:inline-block}
.heat th,.heat td{padding-top:.38rem;padding-bottom:.38rem}.heat td{text-align:right;white-space:nowrap}.heat .h1{background:var(--heat1)}.heat .h2{background:var(--heat2);color:var(--on-heat);font-weight:600}.heat .h3{background:var(--heat3);color:var(--on-heat);font-weight:700}
.heat thead th{text-align:right}.heat thead th:first-child{text-align:left}
.meter{display:flex;align-items:center;gap:.55rem;justify-content:flex-end}.meter svg{flex:none}.meter .track{fill:var(--track)}.meter .fill{fill:var(--bar)}
.findings{list-style:none;margin:0;padding:0}.findings>li{padding:.8rem 1rem;border-top:1px solid var(--line);display:grid;grid-template-columns:8.5rem 1fr;gap:.2rem 1rem}.findings>li:first-child{border-top:0}
.findings ul{margin:.15rem 0 0;padding-left:1.1rem;list-style:disc}
.events{list-style:none;margin:0;padding:.3rem 0}.events li{display:grid;grid-template-columns:11rem 6.5rem 1fr;gap:.2rem 1rem;padding:.45rem 1rem}.events li+li{border-top:1px solid var(--line)}
.phases{display:flex;flex-wrap:wrap;gap:.15rem .35rem;list-style:none;margin:.15rem 0 0;padding:0;font-size:.82rem;color:var(--soft)}.phases li:not(:last-child)::after{content:"→";margin-left:.35rem}.phases li:last-child{color:var(--text);font-weight:600}
.tabs{display:flex;gap:.4rem;margin:0 0 1rem;flex-wrap:wrap}.tabs a{padding:.25rem .75rem;border:1px solid var(--line);border-radius:99px;text-decoration:none;background:var(--panel)}.tabs a[aria-current]{background:var(--link);color:var(--panel);border-color:var(--link);font-weight:600}
pre{margin:0;padding:1rem;overflow:auto;font:.82rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
@media (max-width:60rem){.loop{grid-template-columns:repeat(3,1fr)}.loop li:nth-child(4){border-left:0}.loop li:nth-child(n+4){border-top:1px solid var(--line)}.loop li:nth-child(3)::after{display:none}.charts{grid-template-columns:1fr}.events li{grid-template-columns:1fr}.findings>li{grid-template-columns:1fr}}
@media (forced-colors:active){.badge,.heat td{border:1px solid}}
`;
