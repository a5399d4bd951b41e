/** How the report looks: it brings everything along, and asks no network for fonts or scripts. */
export const style = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --card: #f6f7f9; --ink: #1b1f24; --muted: #59636e; --rule: #d9dee4;
  --first: #2f6fdb; --second: #c2571a; --good: #1a7f4b; --bad: #b42318;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #101317; --card: #181c22; --ink: #e8ebef; --muted: #9aa5b1; --rule: #2c333c;
    --first: #76a9ff; --second: #f0975a; --good: #58c48b; --bad: #ff8a7a;
  }
}
* { box-sizing: border-box }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
main { max-width: 1080px; margin: 0 auto; padding: 48px 24px 96px }
h1 { margin: 0 0 4px; font-size: 2rem; line-height: 1.2; letter-spacing: -0.015em }
h2 { margin: 56px 0 8px; font-size: 1.25rem; letter-spacing: -0.01em }
h3 { margin: 0 0 12px; font-size: 1rem }
p { max-width: 70ch; margin: 8px 0 }
.muted, figcaption { color: var(--muted); font-size: 0.9rem }
.scroll { overflow-x: auto }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums }
caption { text-align: left; color: var(--muted); font-size: 0.9rem; padding-bottom: 8px }
th, td { padding: 8px 12px; text-align: right; border-bottom: 1px solid var(--rule); vertical-align: top }
th, td:not(:last-child) { white-space: nowrap }
th { font-weight: 600 }
thead th { color: var(--muted); font-size: 0.85rem; font-weight: 500 }
th:first-child, td:last-child, thead th:last-child { text-align: left }
td:last-child { min-width: 18rem; color: var(--muted) }
.plots { display: grid; gap: 24px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)) }
.moments { display: grid; gap: 24px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 260px), 1fr)) }
figure { margin: 0; padding: 20px; background: var(--card); border-radius: 10px }
svg { display: block; width: 100%; height: auto; overflow: visible }
svg text { font: 12px system-ui, sans-serif; fill: var(--ink); font-variant-numeric: tabular-nums }
svg .value { paint-order: stroke; stroke: var(--card); stroke-width: 5px }
svg .tick { fill: var(--muted); font-size: 11px }
.bar, .p50 { fill: var(--first) }
.p99 { fill: var(--second) }
.span { stroke: var(--muted); stroke-width: 2 }
.grid { stroke: var(--rule) }
.reference { stroke: var(--muted); stroke-dasharray: 3 3 }
.line { fill: none; stroke-width: 2; stroke-linejoin: round }
.p50-line { stroke: var(--first) }
.p99-line { stroke: var(--second); stroke-dasharray: 5 3 }
.key::before { content: ""; display: inline-block; width: 10px; height: 10px; margin-right: 6px; background: var(--first); border-radius: 50% }
.key.of-p99::before { background: var(--second); border-radius: 0; transform: rotate(45deg) scale(0.85) }
.key { margin-right: 16px }
ul.checks { list-style: none; margin: 0; padding: 0; font-size: 0.9rem }
.checks li { padding-left: 1.5em; text-indent: -1.5em }
.checks b { display: inline-block; width: 1.5em; text-indent: 0; color: var(--good) }
.checks .bad b { color: var(--bad) }
`
