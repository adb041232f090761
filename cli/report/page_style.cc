#include "cli/report/page.h"

namespace ponder::report {

std::string_view PageStyle() {
  static constexpr std::string_view kStyle = R"(
:root{color-scheme:light dark;--ink:#111;--soft:#666;--rule:#d8d8d2;--page:#fffffb;--sheet:#f6f6f2;
--p1:#fdf3e1;--p2:#fbe3bd;--p3:#f8cf92;--p4:#f4b664;--p5:#ee9638;--p6:#e57014;
--k1:#f0a37a;--k2:#f6cdb4;--k3:#ececea;--k4:#bcd8ec;--k5:#86bbdf;--ok:#00664b;--no:#b34700}
@media (prefers-color-scheme:dark){
:root{--ink:#e4e4e0;--soft:#9a9a96;--rule:#3a3d42;--page:#16181b;--sheet:#1e2024;
--p1:#2b2417;--p2:#3d2f17;--p3:#553d16;--p4:#704d14;--p5:#8f5b10;--p6:#b3610a;
--k1:#8a4520;--k2:#5f3a25;--k3:#33363b;--k4:#264a64;--k5:#1e618f;--ok:#5fd0ad;--no:#f59a66}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1500px;padding:2rem clamp(1rem,3.5vw,3.5rem) 4rem;background:var(--page);
color:var(--ink);font:1.06rem/1.5 "Iowan Old Style","Palatino Linotype",Palatino,"URW Palladio L",
"Book Antiqua",Georgia,"DejaVu Serif",serif}
h1,h2,h3{font-weight:400;line-height:1.2;overflow-wrap:anywhere}
h1{font-size:2.3rem;margin:.3rem 0 .2rem}
h2{font-size:1.55rem;font-style:italic;margin:2.8rem 0 .4rem}
h3{font-size:1.15rem;margin:1.4rem 0 .3rem}
p{max-width:48rem;margin:.4rem 0;overflow-wrap:anywhere}
.small,.note,footer,figcaption,summary,.key,label{color:var(--soft)}
.note{border-left:3px solid var(--no);padding-left:.8rem}
table,figcaption,summary,footer,label,.facts,.key,output,pre,.note,.small{
font-family:system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif}
.scroll{overflow-x:auto;max-width:100%}
table{border-collapse:collapse;font-size:.82rem;line-height:1.45;font-variant-numeric:tabular-nums;
border-top:1.5px solid var(--ink);border-bottom:1.5px solid var(--ink);margin:.6rem 0}
th{font-weight:600;border-bottom:1px solid var(--rule);vertical-align:bottom}
th,td{text-align:left;padding:.2rem 1.4rem .2rem 0;white-space:pre;vertical-align:top}
table.facts td,table.keys td{white-space:pre-wrap}
.small{font-size:.8rem}
tbody th{font-weight:400;color:var(--soft);border:0;white-space:nowrap}
table.numbers td:not(:first-child),table.numbers th:not(:first-child){text-align:right;
padding:.15rem 0 .15rem 1.1rem;white-space:nowrap}
table.keys td{overflow-wrap:anywhere}
table.facts td{min-width:10rem}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,330px),1fr));
gap:1.6rem 2rem;margin-top:1rem}
figure{margin:0;min-width:0;break-inside:avoid}
figure.full{grid-column:1/-1;max-width:1050px}
svg{display:block;width:100%;height:auto;overflow:visible}
svg.small{display:none}
figcaption{font-size:.76rem;line-height:1.4;margin-top:.15rem}
output{display:block;min-height:1.2rem;margin-top:-.8rem;padding-right:30%;font-size:.76rem;
line-height:1.2rem;overflow-wrap:anywhere;position:relative}
summary{font-size:.76rem;cursor:pointer}
figure details table{font-size:.72rem}
#transcripts>input{margin:0 .3rem 0 0}
#transcripts>label{font-size:.86rem;margin-right:1.2rem}
#transcripts summary{font-size:.95rem;padding:.25rem 0}
.key{font-size:.78rem}.key i{padding:.05rem .35rem;font-style:normal;color:var(--ink)}
.key.reward,#by-reward:checked~.key.probability,#by-nothing:checked~.key{display:none}
#by-reward:checked~.key.reward{display:block}
.group{margin:.2rem 0 1.2rem;display:grid;gap:.1rem 2rem;
grid-template-columns:repeat(auto-fill,minmax(min(100%,34rem),1fr))}
.prompt{grid-column:1/-1;max-width:none;margin:.9rem 0 .2rem;font-weight:600;white-space:pre-wrap}
.prompt span{font-weight:400;color:var(--soft);margin-left:1rem}
.sample{min-width:0;padding:.25rem 0;border-top:1px solid var(--rule)}
.facts{margin:0;font-size:.74rem;color:var(--soft)}
.tokens{margin:.1rem 0;max-width:none;font:.84rem/1.65 ui-monospace,"SF Mono",Menlo,Consolas,
"DejaVu Sans Mono",monospace;white-space:pre-wrap;overflow-wrap:anywhere}
.tokens i{font-style:normal;border-radius:2px}
.tokens em{color:var(--soft)}
.ok{color:var(--ok)}.no{color:var(--no)}
.key .p1,#by-probability:checked~.transcripts .p1{background:var(--p1)}
.key .p2,#by-probability:checked~.transcripts .p2{background:var(--p2)}
.key .p3,#by-probability:checked~.transcripts .p3{background:var(--p3)}
.key .p4,#by-probability:checked~.transcripts .p4{background:var(--p4)}
.key .p5,#by-probability:checked~.transcripts .p5{background:var(--p5)}
.key .p6,#by-probability:checked~.transcripts .p6{background:var(--p6)}
.key .k1,#by-reward:checked~.transcripts .r1 .tokens{background:var(--k1)}
.key .k2,#by-reward:checked~.transcripts .r2 .tokens{background:var(--k2)}
.key .k3,#by-reward:checked~.transcripts .r3 .tokens{background:var(--k3)}
.key .k4,#by-reward:checked~.transcripts .r4 .tokens{background:var(--k4)}
.key .k5,#by-reward:checked~.transcripts .r5 .tokens{background:var(--k5)}
pre{font:.78rem/1.45 ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;background:var(--sheet);
padding:.8rem 1rem;overflow-x:auto;max-width:60rem}
footer{margin-top:3rem;font-size:.76rem}
@media (max-width:640px){svg.large{display:none}svg.small{display:block}h1{font-size:1.8rem}
body{padding-top:1.2rem}}
@media print{body{max-width:none;padding:0;font-size:10pt;background:#fff;color:#000}
.figures{grid-template-columns:1fr 1fr;gap:1rem}output,#transcripts>input,#transcripts>label{display:none}
h2{break-after:avoid}.sample{break-inside:avoid}}
)";
  return kStyle;
}

}  // namespace ponder::report
