/** Style sheet of the boot report; phases have one colour each, in both themes light enough for the text on them. */
export const STYLE = `
:root {
  --page: #f5f6f8; --card: #ffffff; --text: #1b2230; --muted: #626c7d; --line: #e3e6eb;
  --pass: #1a7f4b; --fail: #c02b3c;
  --firmware: #64748b; --loader: #7059c8; --kernel: #2272c3; --initramfs: #c2681a; --system: #23875a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #11141a; --card: #191e27; --text: #e5e9f0; --muted: #98a2b3; --line: #2a313d;
    --pass: #46c586; --fail: #ff7080;
    --firmware: #76859b; --loader: #8d78e6; --kernel: #4592e0; --initramfs: #dc8740; --system: #38a673;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.55 system-ui, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
main { max-width: 1060px; margin: 0 auto; padding: 40px 24px 48px; display: grid; gap: 18px; }
main > * { min-width: 0; }
header { display: flex; justify-content: space-between; align-items: center; gap: 24px; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 4px; letter-spacing: -0.015em; overflow-wrap: anywhere; }
h2 { font-size: 15px; margin: 0 0 14px; font-weight: 650; }
h2.node { font-size: 19px; margin: 16px 0 -4px; }
a { color: inherit; }
p { margin: 0; }
.muted, footer { color: var(--muted); font-size: 13px; }
.verdict { font-weight: 700; letter-spacing: 0.06em; padding: 7px 20px; border-radius: 999px; border: 1.5px solid currentColor; }
.pass { color: var(--pass); }
.fail { color: var(--fail); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 20px 24px; overflow-x: auto; }
.failed { border-color: var(--fail); }
.failed h2 { color: var(--fail); }
pre { margin: 14px 0 0; padding: 14px 16px; background: var(--page); border-radius: 8px; overflow-x: auto; font: 12px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 18px; }
.figure b { display: block; font-size: 27px; line-height: 1.25; font-weight: 650; letter-spacing: -0.02em; font-variant-numeric: tabular-nums; }
.figure small { font-size: 15px; font-weight: 500; color: var(--muted); }
.figure span { color: var(--muted); font-size: 13px; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 20px; list-style: none; margin: 0 0 4px; padding: 0; color: var(--muted); font-size: 13px; }
.legend i { display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 7px; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--text); font-size: 12.5px; }
svg .small { fill: var(--muted); font-size: 11.5px; }
svg .number { font-variant-numeric: tabular-nums; }
svg .on-colour { fill: #ffffff; font-weight: 600; }
svg .grid { stroke: var(--line); }
svg .missing text { fill: var(--fail); font-weight: 600; }
svg .missing line { stroke: var(--fail); stroke-width: 1.5; stroke-dasharray: 3 5; opacity: 0.7; }
table { border-collapse: collapse; width: 100%; }
td, th { padding: 7px 14px 7px 0; text-align: left; vertical-align: top; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
tr:first-child > * { border-top: 0; }
th { font-weight: 550; white-space: nowrap; width: 1%; padding-right: 28px; overflow-wrap: normal; }
.mark { width: 1%; font-weight: 700; }
code { font: 12px ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
ul { margin: 0; padding-left: 20px; }
footer { text-align: center; }
`;
