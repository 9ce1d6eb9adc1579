/** The look of an explained drive: on a screen of any width, in the dark and on paper. Holds nothing that HTML would have to escape. */
export const EXPLAIN_STYLE = `
:root{color-scheme:light dark;--page:#fff;--ink:#15212b;--soft:#54616d;--line:#d8dfe5;--ground:#f3f5f6;--road:#fff;--case:#cfd6dc;
--sure:#0a6ea8;--less:#d98a12;--un:#c8324a;--truth:#8fcf8a;--start:#2f8f3e;--goal:#15212b;--dot:#15212b;--hair:#15212b;--bad:#c8324a;--odd:#8b549f}
@media (prefers-color-scheme:dark){:root{--page:#10171d;--ink:#e7edf2;--soft:#a4b1bc;--line:#2e3a44;--ground:#161e25;--road:#33414c;--case:#33414c;
--sure:#4fb3e8;--less:#f0ad4b;--un:#f0687d;--truth:#2f6b39;--start:#58c46a;--goal:#e7edf2;--dot:#e7edf2;--hair:#e7edf2;--bad:#f0687d;--odd:#c79bd8}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:62rem;margin:0 auto;padding:2rem 1.25rem 3rem}
h1,h2,p,dl,dd,figure,ul,table{margin:0}
h1{font-size:1.5rem;line-height:1.25;letter-spacing:-.01em}
h2{font-size:1.125rem;margin-bottom:.75rem}
section{margin-top:2.5rem}
.facts{display:flex;flex-wrap:wrap;gap:.5rem 2rem;margin:.75rem 0 1.25rem}
.facts dt{color:var(--soft);font-size:.8125rem}
.facts dd{font-weight:600;overflow-wrap:anywhere}
.note{margin:0 0 1rem;padding:.6rem .9rem;border-left:3px solid var(--less)}
svg{display:block;width:100%;height:auto}
figure>svg{border-radius:.5rem;border:1px solid var(--line)}
figcaption{font-size:.875rem;color:var(--soft);padding-top:.4rem}
figcaption b{display:inline-block;min-width:1.35em;text-align:center;border-radius:1em;background:var(--ink);color:var(--page);font-size:.8em;margin-right:.35em}
.closeups{display:grid;grid-template-columns:repeat(auto-fill,minmax(20rem,1fr));gap:1.5rem 1.25rem}
.legend{display:flex;flex-wrap:wrap;gap:.3rem 1.25rem;list-style:none;padding:.75rem 0 0;font-size:.875rem;color:var(--soft)}
.legend li{display:flex;align-items:center;gap:.4rem}
.legend svg{width:28px;height:10px}
.ground{fill:var(--ground)}
.r{stroke:var(--case);stroke-linejoin:round;stroke-linecap:round}
.w{stroke-linejoin:round;stroke-linecap:round}
.sure{stroke:var(--sure)}.less{stroke:var(--less)}.un{stroke:var(--un)}
.inf{stroke-dasharray:2 8}
.truth{stroke:var(--truth);stroke-linejoin:round;stroke-linecap:round}
.arrow{fill:none;stroke:var(--page);stroke-width:1.4;stroke-linecap:round;stroke-linejoin:round}
.hair{stroke:var(--hair);stroke-width:.6;opacity:.55;fill:none}
.f{fill:var(--dot);stroke:var(--page);stroke-width:.7}
.off-network{fill:var(--page);stroke:var(--dot);stroke-width:1.1}
.implausible,.inaccurate{fill:var(--bad)}
.standing,.time-order,.null-island{fill:var(--odd)}
.start{fill:var(--start);stroke:var(--page);stroke-width:2}
.goal{fill:var(--goal);stroke:var(--page);stroke-width:2}
.lost{stroke:var(--un);stroke-width:2.4;stroke-linecap:round;fill:none}
.name{font-size:11px;text-anchor:middle;fill:var(--ink);stroke:var(--ground);stroke-width:3;paint-order:stroke;stroke-linejoin:round}
.mark circle{fill:var(--ink);stroke:var(--page);stroke-width:1.5}
.mark text{fill:var(--page);font-size:11px;font-weight:650;text-anchor:middle}
.scale path{fill:none;stroke:var(--soft);stroke-width:1.4}
.scale text{fill:var(--soft);font-size:11px;stroke:var(--ground);stroke-width:3;paint-order:stroke}
table{width:100%;border-collapse:collapse;font-size:.9375rem}
th,td{text-align:left;font-weight:400;padding:.3rem 1rem .3rem 0;border-bottom:1px solid var(--line);vertical-align:top}
thead th{color:var(--soft);font-size:.8125rem}
.n{text-align:right;white-space:nowrap}
.time{white-space:nowrap}
section>ul{padding-left:1.2rem}
footer{margin-top:2.5rem;padding-top:1rem;border-top:1px solid var(--line);color:var(--soft);font-size:.875rem}
@media (max-width:34rem){main{padding:1.25rem .9rem 2rem}.closeups{grid-template-columns:1fr}table{font-size:.8125rem}th,td{padding-right:.5rem}}
@media print{:root{color-scheme:light;--page:#fff;--ink:#000;--soft:#444;--line:#bbb;--ground:#f6f7f8;--case:#c3cbd2;--sure:#0a6ea8;--less:#c47a08;--un:#c8324a;--truth:#8fcf8a;--start:#2f8f3e;--goal:#000;--dot:#000;--hair:#000}
@page{margin:14mm}body{font-size:9.5pt}main{max-width:none;padding:0}figure,tr{break-inside:avoid}h2{break-after:avoid}thead{display:table-header-group}
svg,figcaption b{print-color-adjust:exact;-webkit-print-color-adjust:exact}.closeups{grid-template-columns:1fr 1fr}}
`
