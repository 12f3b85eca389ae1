"""The look of the report: readable on a phone and on a wall, by day and by night."""

STYLE = """
:root { color-scheme: light dark; --ink: #1f2933; --soft: #5b6672; --line: #dde2e8; --page: #ffffff; --card: #f6f8fa;
  --good: #1a7f4b; --bad: #b42318; --wait: #8a6100; --link: #1f5fa8; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e3e8ee; --soft: #9aa6b2; --line: #35404b; --page: #14191f; --card: #1c232b;
    --good: #5bd197; --bad: #ff8a7a; --wait: #e0b454; --link: #7db5f2; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2rem clamp(1rem, 4vw, 2.5rem) 4rem; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 1rem; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .75rem; }
a { color: var(--link); }
p, small, figcaption, dt, th, summary { color: var(--soft); }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(7.5rem, 1fr)); gap: .75rem 1.5rem; margin: 0;
  padding: 1rem 1.25rem; background: var(--card); border-radius: .5rem; }
dt { font-size: .8rem; }
dd { margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .45rem .75rem .45rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { font-size: .8rem; font-weight: 600; }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }
.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
.ok, .up-to-date { color: var(--good); white-space: nowrap; }
.failed { color: var(--bad); white-space: nowrap; }
.skipped { color: var(--wait); white-space: nowrap; }
figure { margin: 0 0 1.5rem; }
figure img { max-width: 100%; height: auto; background: #ffffff; border: 1px solid var(--line); border-radius: .5rem;
  padding: .5rem; }
details { margin: .25rem 0; }
summary { cursor: pointer; padding: .35rem 0; }
"""
