/** The look of a statement, on a screen of any width, in the dark and on paper. A strict CSP admits it by its hash. */
export const STATEMENT_STYLE = `
:root{color-scheme:light dark;--page:#fff;--ink:#15212b;--soft:#54616d;--line:#d8dfe5;--tint:#f2f6f8;--accent:#0a5a78;
--s0:#0a5a78;--s1:#d27d1d;--s2:#5c8a3c;--s3:#8b549f;--s4:#c0485c;--s5:#7c8894}
@media (prefers-color-scheme:dark){:root{--page:#10171d;--ink:#e7edf2;--soft:#a4b1bc;--line:#2e3a44;--tint:#18222a;
--accent:#7cc8e4;--s0:#4fa9cb;--s1:#e9a154;--s2:#8dbb6b;--s3:#bd8ed0;--s4:#e58392;--s5:#93a0ac}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
font-variant-numeric:tabular-nums}
main{max-width:46rem;margin:0 auto;padding:2.5rem 1.25rem 3rem}
h1,h2,p,dl,dd,figure,table{margin:0}
h1{font-size:1.5rem;line-height:1.25;font-weight:650;letter-spacing:-.01em}
h2{font-size:1.125rem;line-height:1.3;font-weight:650;margin-bottom:.75rem}
section{margin-top:2.75rem}
a{color:var(--accent)}
code{font:.85em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
.soft{color:var(--soft)}
.small{font-size:.875rem}
.gap{margin-top:1.5rem}
.agency{color:var(--accent);font-weight:650;margin-bottom:1.75rem;padding-bottom:.75rem;border-bottom:3px solid var(--accent)}
.bill{display:grid;grid-template-columns:1.1fr 1fr 1.2fr;gap:1rem 2rem;margin-top:1.75rem;padding:1.25rem 1.5rem;background:var(--tint);border-radius:.5rem}
.bill dt{color:var(--soft);font-size:.875rem}
.bill dd{font-weight:600}
.bill .due{grid-row:span 2}
.bill .due dd{font-size:2.75rem;line-height:1.15;font-weight:700;letter-spacing:-.02em}
table{width:100%;border-collapse:collapse}
caption{text-align:left;color:var(--soft);font-size:.875rem;padding-bottom:.5rem}
th,td{padding:.4rem 0 .4rem 1rem;text-align:left;vertical-align:top;font-weight:400}
th:first-child{padding-left:0}
thead th{color:var(--soft);font-size:.8125rem;border-bottom:1px solid var(--line);vertical-align:bottom}
tbody th,tbody td,tfoot th,tfoot td{border-bottom:1px solid var(--line)}
tfoot th,tfoot td{font-weight:650}
.n{text-align:right;white-space:nowrap}
.fine{color:var(--soft);font-size:.8125em;font-weight:400}
.sub{display:block;color:var(--soft);font-size:.8125rem}
tfoot .part th,tfoot .part td{color:var(--soft);font-weight:400}
tfoot .part th{padding-left:1.25rem}
svg{display:block;width:100%}
.bar{height:1rem;border-radius:.25rem}
.days{height:7rem;border-bottom:1px solid var(--line)}
.key{display:inline-block;width:.7em;height:.7em;margin-right:.5em;vertical-align:baseline}
.s0{fill:var(--s0)}.s1{fill:var(--s1)}.s2{fill:var(--s2)}.s3{fill:var(--s3)}.s4{fill:var(--s4)}.s5{fill:var(--s5)}
.axis{display:flex;justify-content:space-between;color:var(--soft);font-size:.75rem;padding-top:.25rem}
figure+table,p+table{margin-top:1.5rem}
figcaption{color:var(--soft);font-size:.875rem;padding-bottom:.5rem}
details{border-bottom:1px solid var(--line)}
details:first-of-type{border-top:1px solid var(--line)}
summary{display:grid;grid-template-columns:1rem 1fr 7rem 6rem 8rem;gap:0 .25rem;align-items:baseline;padding:.55rem 0;cursor:pointer;list-style:none}
summary::-webkit-details-marker{display:none}
summary::before{content:"";align-self:center;width:.4rem;height:.4rem;border:solid var(--soft);border-width:0 2px 2px 0;transform:rotate(-45deg)}
details[open]>summary::before{transform:rotate(45deg)}
summary:hover{background:var(--tint)}
summary:focus-visible,a:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
details[open]>summary{font-weight:650}
.in{padding:.25rem 0 1.25rem 1.25rem}
.trips{font-size:.9375rem}
.time{white-space:nowrap;width:8.5rem}
.rest td{border-bottom-color:transparent}
.facts dt{color:var(--soft);font-size:.875rem;margin-top:.75rem}
ol{margin:0;padding-left:1.25rem}
li+li{margin-top:.35rem}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
footer{margin-top:3rem;padding-top:1rem;border-top:1px solid var(--line);color:var(--soft);font-size:.875rem}
@media (max-width:34rem){
main{padding:1.5rem 1rem 2rem}
.agency{margin-bottom:1.25rem}
.bill{grid-template-columns:1fr 1fr;padding:1rem 1.125rem;gap:.875rem 1rem}
.bill .due{grid-column:1/-1;grid-row:auto}
th,td{padding-left:.5rem}
thead .n{white-space:normal}
table{font-size:.875rem}
summary{grid-template-columns:1rem minmax(0,1fr) 4.75rem 7.5rem;font-size:.875rem}
summary .count{display:none}
.in{padding-left:0}
.trips{font-size:.8125rem}
.time{width:auto;white-space:normal}
.wide{display:none}
}
@media print{
:root{color-scheme:light;--page:#fff;--ink:#000;--soft:#444;--line:#bbb;--tint:#f4f4f4;--accent:#0a5a78;
--s0:#0a5a78;--s1:#d27d1d;--s2:#5c8a3c;--s3:#8b549f;--s4:#c0485c;--s5:#7c8894}
@page{margin:16mm 14mm}
body{font-size:9.5pt}
th,td{padding-top:.2rem;padding-bottom:.2rem}
.trips{font-size:8.5pt}
.in .sub{font-size:7.5pt}
.in td .sub{display:inline;margin-left:.5em}
main{max-width:none;padding:0}
section{margin-top:1.75rem}
h2,summary,figure,tr{break-inside:avoid}
h2,summary{break-after:avoid}
thead{display:table-header-group}
svg,.bill{print-color-adjust:exact;-webkit-print-color-adjust:exact}
details::details-content{content-visibility:visible;height:auto;overflow:visible}
summary::before{visibility:hidden}
.in{padding:0 0 .5rem}
}
`
