"""Hold the report's stylesheet: the desk's colours, light and dark as the reader's system has it."""

from __future__ import annotations

CSS = """
:root{color-scheme:light dark;--bg:#eef1f6;--card:#fff;--edge:#d3d9e4;--grid:#e8ecf3;--text:#1b2130;--dim:#5b667c;
--y:#b86b00;--x:#2f5fd0;--spread:#6a3fb5;--band:#b7a4dc;--z:#0277bd;--level:#c25e00;--ok:#0f8f83;--warn:#b86b00;
--bad:#d93a3a;--p1:#0f8f83;--p5:#57b8ad;--p10:#e0b15a;--p100:#d8dde7}
@media(prefers-color-scheme:dark){:root{--bg:#0f131a;--card:#171c28;--edge:#2a3142;--grid:#232a3a;--text:#d6dae3;
--dim:#939cb0;--y:#f2a33a;--x:#7aa2f7;--spread:#d0b3ff;--band:#6b5b95;--z:#4fc3f7;--level:#ef9a5a;--ok:#26a69a;
--warn:#f2a33a;--bad:#ef5350;--p1:#26a69a;--p5:#1f7169;--p10:#8a6a2c;--p100:#2a3142}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
"Noto Sans",sans-serif}
main{max-width:1120px;margin:0 auto;padding:28px 20px 48px}
header p{margin:4px 0 0;color:var(--dim)}
h1{font-size:27px;line-height:1.25;margin:0;overflow-wrap:anywhere}
h2{font-size:16px;margin:0 0 10px}
h2 small{font-weight:400;color:var(--dim);font-size:13px}
.eyebrow{font-size:12px;letter-spacing:.08em;text-transform:uppercase;color:var(--dim);margin:0 0 4px}
section{background:var(--card);border:1px solid var(--edge);border-radius:10px;padding:16px 18px;margin-top:16px}
.badge{display:inline-block;border-radius:99px;padding:1px 10px;font-size:12px;font-weight:600;border:1px solid;
margin:8px 6px 0 0;color:var(--dim)}
.badge.bad{background:var(--bad);border-color:var(--bad);color:#fff;letter-spacing:.04em}
.verdict{border-left:6px solid var(--warn)}.verdict.found{border-left-color:var(--ok)}
.verdict.none{border-left-color:var(--dim)}
.verdict.conflict{border-left-color:var(--bad)}
.verdict h2{font-size:19px}.verdict ul{margin:0;padding-left:20px}.verdict li{margin:3px 0}
.key{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin-top:16px}
.key div{background:var(--card);border:1px solid var(--edge);border-radius:10px;padding:10px 14px}
.key dt{font-size:12px;color:var(--dim)}.key dd{margin:0;font-size:21px;font-weight:600;
font-variant-numeric:tabular-nums}.key dd small{display:block;font-size:12px;font-weight:400;color:var(--dim)}
dl{margin:0}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
.scroll{overflow-x:auto}
th,td{text-align:left;padding:6px 12px 6px 0;border-top:1px solid var(--grid);vertical-align:top}
thead th{border-top:0;color:var(--dim);font-weight:600;font-size:12px;white-space:nowrap}
tbody th{font-weight:600;white-space:nowrap}td.n{text-align:right;white-space:nowrap}th.n{text-align:right}
td.how{color:var(--dim);font-size:13px;min-width:260px}
.yes{color:var(--ok);font-weight:600}.against{color:var(--bad);font-weight:600}.no{color:var(--dim)}
p.note{color:var(--dim);font-size:13px;margin:8px 0 0}
.notes{margin:0;padding-left:20px;overflow-wrap:anywhere}.notes li{margin:3px 0}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;font-size:13px;color:var(--dim);margin:0 0 6px;padding:0;
list-style:none}.legend i{display:inline-block;width:18px;height:0;border-top:3px solid;vertical-align:middle;
margin-right:6px}.legend i.box{height:11px;border-top:0}
svg{display:block;width:100%;height:auto}
svg path{fill:none;stroke-width:1.4;stroke-linejoin:round;vector-effect:non-scaling-stroke}
svg .grid{stroke:var(--grid);stroke-width:1}
svg text{font:11px system-ui,sans-serif;fill:var(--dim)}svg .mark{fill:var(--level)}
svg .y{stroke:var(--y)}svg .x{stroke:var(--x)}svg .spread{stroke:var(--spread)}svg .z{stroke:var(--z)}
svg .band{fill:var(--band);fill-opacity:.28;stroke:none}svg .mean{stroke:var(--dim);stroke-dasharray:2 4}
svg .level{stroke:var(--level);stroke-dasharray:6 4}
svg .empty{fill:none;stroke:var(--grid)}svg .p1{fill:var(--p1)}svg .p5{fill:var(--p5)}svg .p10{fill:var(--p10)}
svg .p100{fill:var(--p100)}
.legend .y{color:var(--y)}.legend .x{color:var(--x)}.legend .spread{color:var(--spread)}.legend .z{color:var(--z)}
.legend .band{background:var(--band);opacity:.55}.legend .level{color:var(--level);border-top-style:dashed}
.legend .p1{background:var(--p1)}.legend .p5{background:var(--p5)}.legend .p10{background:var(--p10)}
.legend .p100{background:var(--p100)}
footer{color:var(--dim);font-size:12px;margin-top:20px}
@media print{body{background:#fff}section,.key div{break-inside:avoid}}
"""
