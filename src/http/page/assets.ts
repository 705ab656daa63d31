/** Served as files of their own: the content security policy allows nothing inline. */
export const STYLE = `
:root { color-scheme: light dark; --bg: #fff; --card: #f6f7f9; --text: #16191d; --quiet: #59616b; --line: #d5d9df;
  --good: #146c2e; --bad: #b3261e; --in: #1f5fbf; --out: #a34a00; --focus: #1f5fbf; }
@media (prefers-color-scheme: dark) {
  :root { --bg: #14171b; --card: #1d2127; --text: #e8eaed; --quiet: #a2abb6; --line: #353b44;
    --good: #7ad18f; --bad: #ff9a91; --in: #86b4ff; --out: #ffb27a; --focus: #86b4ff; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 1rem 1.25rem 3rem; background: var(--bg); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 0 0 .25rem; overflow-wrap: anywhere; }
p { margin: .25rem 0; }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }
a { color: var(--in); }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
.quiet { color: var(--quiet); font-weight: normal; }
.good { color: var(--good); }
.bad, .warn { color: var(--bad); font-weight: 600; }
#summary { font-size: 1.1rem; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: .5rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .7rem; text-align: right; white-space: nowrap; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--quiet); font-weight: 600; font-size: .875rem; }
th:first-child { text-align: left; position: sticky; left: 0; background: var(--bg); }
.text, .card td { text-align: left; }
.problem { white-space: normal; min-width: 18rem; }
#workspaces tbody th { white-space: normal; overflow-wrap: anywhere; min-width: 8rem; max-width: 18rem; }
tr.stopped > :first-child { box-shadow: inset .3rem 0 var(--bad); }
.card th:first-child { background: var(--card); }
.card td { white-space: pre-wrap; overflow-wrap: anywhere; min-width: 8rem; }
.card th { text-align: left; vertical-align: top; }
.card { background: var(--card); border: 1px solid var(--line); border-left: .3rem solid var(--bad); border-radius: .5rem;
  padding: .75rem 1rem; margin: .75rem 0; }
.badge { font-size: .8rem; font-weight: 600; border: 1px solid currentcolor; color: var(--bad); border-radius: 1rem; padding: 0 .5rem; }
.sides { display: grid; grid-template-columns: repeat(3, 1fr); gap: .5rem; margin: .75rem 0; }
.sides > div { background: var(--bg); border: 1px solid var(--line); border-radius: .4rem; padding: .5rem .7rem; }
.sides dt { font-size: .875rem; color: var(--quiet); }
.sides dd { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.actions { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; margin-top: .6rem; }
form { display: inline; }
button { font: inherit; color: var(--text); background: var(--bg); border: 1px solid var(--quiet); border-radius: .4rem;
  padding: .4rem .9rem; min-height: 2.5rem; cursor: pointer; }
button:hover { border-color: var(--focus); }
.notice { border: 1px solid currentcolor; border-radius: .5rem; padding: .5rem 1rem; }
.plots { display: grid; grid-template-columns: 1fr 1fr; gap: 1.5rem; }
figure { margin: 0; min-width: 0; }
.legend { color: var(--quiet); font-size: .875rem; }
.key { display: inline-block; width: .8em; height: .8em; border-radius: .15em; margin-left: .5em; }
.key:first-child { margin-left: 0; }
.key.in { background: var(--in); } .key.out { background: var(--out); } .key.lag { background: var(--bad); }
svg { width: 100%; height: auto; display: block; overflow: visible; }
svg text { fill: var(--quiet); font-size: 13px; }
svg .axis { stroke: var(--line); }
svg .in { fill: var(--in); } svg .out { fill: var(--out); }
svg polyline.lag { fill: none; stroke: var(--bad); stroke-width: 2; }
svg circle.lag { fill: var(--bad); }
.scroll:has(.moves) { max-height: 24rem; overflow-y: auto; }
.moves { list-style: none; margin: 0; padding: 0; }
.moves li { padding: .35rem .7rem; border-top: 1px solid var(--line); }
.moves li:first-child { border-top: 0; }
.moves time { display: inline-block; min-width: 6rem; color: var(--quiet); }
.moves .way { display: inline-block; min-width: 10.5rem; font-weight: 600; }
.in .way { color: var(--in); } .out .way { color: var(--out); }
.sign-in { max-width: 24rem; margin: 15vh auto 0; }
.sign-in form { display: grid; gap: .5rem; margin: 1rem 0; }
input { font: inherit; padding: .5rem; border: 1px solid var(--quiet); border-radius: .4rem; background: var(--bg); color: var(--text); }
body.away #summary::after { content: ' No answer from the service: what is shown is old.'; color: var(--bad); }
@media (max-width: 44rem) {
  body { padding: .75rem .75rem 2rem; }
  .plots, .sides { grid-template-columns: 1fr; }
  th, td { padding: .35rem .5rem; }
  #allowance th:first-child { white-space: normal; overflow-wrap: anywhere; min-width: 11rem; }
  #objects tbody th { white-space: normal; overflow-wrap: anywhere; min-width: 10.5rem; max-width: 10.5rem; }
  #workspaces tbody th { min-width: 9.5rem; max-width: 9.5rem; }
  svg text { font-size: 22px; }
}
@media (prefers-contrast: more) { :root { --quiet: currentcolor; --line: currentcolor; } }
`;

/** Without it the page is the same, only not live. */
export const SCRIPT = `'use strict';
const EVERY_MS = 3000;

/** Puts in what changed, and leaves alone what somebody is reading or using. */
function take(next) {
  document.title = next.title;
  for (const now of document.querySelectorAll('[data-live]')) {
    const then = next.getElementById(now.id);
    if (!then || then.innerHTML === now.innerHTML) continue;
    if (now.contains(document.activeElement) || now.querySelector('details[open]')) continue;
    now.replaceChildren(...then.childNodes);
  }
}

async function look() {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.pathname, { headers: { accept: 'text/html' }, redirect: 'error' });
    if (!answer.ok) throw new Error('not answered well');
    take(new DOMParser().parseFromString(await answer.text(), 'text/html'));
    document.body.classList.remove('away');
  } catch {
    document.body.classList.add('away');
  }
}

document.addEventListener('submit', (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

document.getElementById('notice')?.focus();
if (document.querySelector('[data-live]')) {
  const again = () => setTimeout(() => look().then(again), EVERY_MS);
  again();
}
`;

export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path d="M2 6h9l-3-3M14 10H5l3 3" fill="none" stroke="#1f5fbf" stroke-width="2"/></svg>`;
