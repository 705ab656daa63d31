import type { Lease } from '../../db/lease/lease.ts';
import type { ObjectStanding } from '../../db/service/status.ts';
import type { WorkspaceState } from '../status-source.ts';
import { count, plural, span } from './format.ts';
import { type Html, html } from './html.ts';
import { brokenNotice, pageTitle, shell } from './page.ts';
import { NO_RECORDS } from './tables.ts';

/** One line of the page. */
export interface FleetRow {
  readonly name: string;
  readonly crm: string;
  readonly state: WorkspaceState;
  /** Null where nothing was read of it yet. */
  readonly objects: readonly ObjectStanding[] | null;
  readonly lease: Lease | null;
  /** Why its tables could not be read; null where they could. */
  readonly problem: { readonly code: string; readonly message: string } | null;
}

export interface FleetFacts {
  readonly rows: readonly FleetRow[];
  readonly version: string;
  /** How this process is called as the holder of a lease begins with this. */
  readonly holder: string;
  readonly nowMs: number;
}

/** Where the pages of a workspace are. */
export function baseOf(name: string): string {
  return `/w/${encodeURIComponent(name)}/`;
}

/** Broken ones told one by one; of more than these the table tells. */
const MOST_BROKEN = 20;

/** Made for a page: a service that nobody looks at does without what Node reads for it. */
function inOrder(): (one: string, other: string) => number {
  return new Intl.Collator('en', { numeric: true }).compare;
}

/** Every workspace in a line: broken ones first, by themselves, so that none is overlooked. */
export function fleetPage(facts: FleetFacts): Html {
  const compare = inOrder();
  const rows = facts.rows.toSorted((a, b) => compare(a.name, b.name));
  const broken = rows.filter(isBroken);
  return shell(
    pageTitle(plural(rows.length, 'workspace'), broken.length),
    html`<header><h1>clarify-sync <span class="quiet">${plural(rows.length, 'workspace')}</span></h1>
<p id="summary" role="status" data-live>${summary(rows)}</p>
<p class="quiet" id="facts" data-live>${spread(rows, facts.holder)} · version ${facts.version}</p></header>
<main>
<div id="broken" data-live>${broken.length > 0 && html`<section aria-labelledby="h-broken"><h2 id="h-broken">Stopped</h2>${broken.slice(0, MOST_BROKEN).map((row) => brokenCard(row, facts.nowMs))}${broken.length > MOST_BROKEN && html`<p>And ${count(broken.length - MOST_BROKEN)} more, marked in the table.</p>`}</section>`}</div>
<section aria-labelledby="h-workspaces"><h2 id="h-workspaces">Workspaces</h2>
<div class="scroll" tabindex="0" role="region" aria-label="Workspaces"><div id="workspaces" data-live>${table(rows)}</div></div></section>
</main>
<footer class="quiet"><p><a href="/metrics">metrics</a> · <a href="/readyz">readiness</a></p></footer>`,
  );
}

/** Stopped here and led by nobody else, or its tables cannot be read, though they should be there. */
function isBroken({ state, lease, problem }: FleetRow): boolean {
  if (state.kind === 'starting') return false;
  return problem !== null || (state.kind === 'broken' && lease === null);
}

function brokenCard({ name, state, problem }: FleetRow, nowMs: number): Html {
  const why =
    brokenNotice(state, nowMs) ??
    html`<p class="bad">Its tables cannot be read: <bdi>${problem?.message ?? ''}</bdi></p>`;
  return html`<article class="card"><h3>${link(name)}</h3>${why}</article>`;
}

function summary(rows: readonly FleetRow[]): Html {
  const names = (some: readonly FleetRow[]) => {
    const shown = some.slice(0, 5).map(({ name }) => html` <bdi>${name}</bdi>`);
    const more = some.length > shown.length && ` and ${count(some.length - shown.length)} more`;
    return html`:${shown.map((one, n) => html`${n > 0 && ','}${one}`)}${more}`;
  };
  const total = { parked: 0, openConflicts: 0, setAside: 0 };
  for (const { parked, openConflicts, setAside } of rows.flatMap(({ objects }) => objects ?? [])) {
    total.parked += parked;
    total.openConflicts += openConflicts;
    total.setAside += setAside;
  }
  const broken = rows.filter(isBroken);
  const leaderless = rows.filter((row) => !isBroken(row) && isLeaderless(row));
  const troubled = rows.filter((row) => !isBroken(row) && worstError(row) !== null);
  const said = [
    broken.length > 0 && html`${count(broken.length)} stopped${names(broken)}`,
    leaderless.length > 0 && html`${count(leaderless.length)} led by nobody${names(leaderless)}`,
    troubled.length > 0 && html`${count(troubled.length)} not whole${names(troubled)}`,
    total.openConflicts > 0 && html`${plural(total.openConflicts, 'conflict')} open`,
    total.parked > 0 && html`${plural(total.parked, 'change')} parked`,
    total.setAside > 0 && html`${plural(total.setAside, 'row')} put aside`,
  ].filter((text) => text !== false);
  return said.length === 0
    ? html`<span class="good">Everything is in step.</span>`
    : html`<span class="bad">${said.map((text, n) => html`${n > 0 && '; '}${text}`)}.</span>`;
}

/** Who leads how many: an uneven spread is seen at once. */
function spread(rows: readonly FleetRow[], holder: string): Html {
  const byHolder = new Map<string, number>();
  for (const { lease } of rows) {
    if (lease === null) continue;
    const process = processOf(lease.holder);
    byHolder.set(process, (byHolder.get(process) ?? 0) + 1);
  }
  const mine = rows.filter(({ state }) => state.kind === 'leading').length;
  byHolder.delete(processOf(holder));
  const compare = inOrder();
  const others = [...byHolder].toSorted(([a], [b]) => compare(a, b));
  return html`this process leads ${count(mine)}${others.map(([name, led]) => html` · <bdi>${name}</bdi> leads ${count(led)}`)}`;
}

/** Of `host:pid:uuid` the host and the process. */
function processOf(holder: string): string {
  return holder.split(':').slice(0, 2).join(':');
}

function isLeaderless({ state, objects, lease }: FleetRow): boolean {
  return state.kind === 'standing-by' && objects !== null && lease === null;
}

function table(rows: readonly FleetRow[]): Html {
  if (rows.length === 0) return html`<p class="quiet">The file names no workspace.</p>`;
  return html`<table><thead><tr><th scope="col">Workspace</th><th scope="col" class="text">CRM</th><th scope="col" class="text">State</th><th scope="col">Rows</th><th scope="col">Pending</th><th scope="col">Blocked</th><th scope="col">Parked</th><th scope="col">Conflicts</th><th scope="col">Aside</th><th scope="col">Lag</th><th scope="col" class="text">Last error</th></tr></thead><tbody>${rows.map(line)}</tbody></table>`;
}

function line(row: FleetRow): Html {
  const { name, crm, objects } = row;
  const error = worstError(row);
  const said = error === null ? html`<span class="quiet">none</span>` : html`<code>${error}</code>`;
  return html`<tr${isBroken(row) && html` class="stopped"`}><th scope="row">${link(name)}</th><td class="text">${crm}</td><td class="text">${stateOf(row)}</td>${objects === null ? NOTHING_READ : figures(objects)}<td class="text">${said}</td></tr>
`;
}

const NOTHING_READ = html`<td>–</td><td>–</td><td>–</td><td>–</td><td>–</td><td>–</td><td>–</td>`;

function figures(objects: readonly ObjectStanding[]): Html {
  const sum = (of: (standing: ObjectStanding) => number | bigint) =>
    objects.reduce((total, standing) => total + BigInt(of(standing)), 0n);
  const lags = objects.flatMap(({ lagSeconds, lastError }) =>
    lagSeconds === null || lastError === NO_RECORDS ? [] : [lagSeconds],
  );
  const cell = (value: bigint, level: string) =>
    html`<td><span class="${value === 0n ? 'quiet' : level}">${count(value)}</span></td>`;
  return html`<td>${count(sum(({ rows }) => rows))}</td>${cell(
    sum(({ pending }) => pending),
    '',
  )}${cell(
    sum(({ blocked }) => blocked),
    'warn',
  )}${cell(
    sum(({ parked }) => parked),
    'warn',
  )}${cell(
    sum(({ openConflicts }) => openConflicts),
    'warn',
  )}${cell(
    sum(({ setAside }) => setAside),
    'warn',
  )}<td>${lags.length === 0 ? '–' : span(Math.max(...lags))}</td>`;
}

function stateOf(row: FleetRow): Html {
  const { state, lease, problem, objects } = row;
  if (state.kind === 'broken' && lease === null) return html`<span class="bad">stopped</span>`;
  if (state.kind === 'starting') return html`<span class="quiet">starting</span>`;
  if (problem !== null) return html`<span class="bad">not reachable</span>`;
  if (state.kind === 'leading') return html`<span class="good">led by this process</span>`;
  if (lease !== null) {
    const here = state.kind === 'broken' && html`, <span class="warn">stopped here</span>`;
    return html`led by <bdi title="${lease.holder}">${processOf(lease.holder)}</bdi>${here}`;
  }
  if (objects === null) return html`<span class="quiet">not read yet</span>`;
  return html`<span class="bad">led by nobody</span>`;
}

/** What stops it, else what its most troubled object says. */
function worstError({ state, problem, objects }: FleetRow): string | null {
  if (state.kind === 'broken') return state.code;
  if (state.kind === 'starting') return null;
  if (problem !== null) return problem.code;
  const errors = (objects ?? []).filter(
    ({ lastError, lagSeconds, troubles }) =>
      lastError !== null &&
      lastError !== NO_RECORDS &&
      (troubles.length > 0 || lagSeconds === null || lagSeconds >= HICCUP_SECONDS),
  );
  const [first] = errors;
  return first?.lastError ?? null;
}

/** As on the page of one: a read that failed once is tried again within the minute. */
const HICCUP_SECONDS = 120;

function link(name: string): Html {
  return html`<a href="${baseOf(name)}"><bdi>${name}</bdi></a>`;
}
