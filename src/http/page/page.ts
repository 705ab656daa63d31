import type { EndpointStats } from '../../clarify/endpoint-queue.ts';
import type { Move } from '../../db/activity.ts';
import type { AsideCause } from '../../db/aside-review.ts';
import type { Lease } from '../../db/lease.ts';
import type { ObjectStanding } from '../../db/status.ts';
import type { NextRun } from '../status-source.ts';
import { type Decisions, decisions, parkedApart } from './decisions.ts';
import { plural } from './format.ts';
import { type Html, html } from './html.ts';
import { plots } from './plots.ts';
import type { Series } from './series.ts';
import { allowanceTable, asideList, movesList, NO_RECORDS, objectsTable } from './tables.ts';

/** Everything one look at the page takes. */
export interface PageFacts {
  readonly workspace: string;
  readonly version: string;
  readonly access: string;
  readonly push: boolean;
  readonly leads: boolean;
  readonly lease: Lease | null;
  readonly objects: readonly ObjectStanding[];
  /** Views that read a column which was put aside, in words. */
  readonly staleViews: readonly string[];
  readonly nextRun: (object: string) => NextRun | null;
  readonly endpoints: readonly EndpointStats[];
  readonly series: Series;
  readonly bucketSeconds: number;
  readonly moves: readonly Move[];
  readonly waiting: Decisions;
  /** What keeps rows from being as their records are. */
  readonly aside: readonly AsideCause[];
  readonly nowMs: number;
  readonly formToken: string;
  /** What came of what was asked before. */
  readonly notice: { readonly text: string; readonly good: boolean } | null;
}

export function statusPage(facts: PageFacts): Html {
  const { nowMs, formToken, notice, waiting } = facts;
  const total = waiting.openConflicts + parkedCount(waiting);
  const live = (id: string, content: Html | null) =>
    html`<div id="${id}" data-live>${content}</div>`;
  const scroll = (id: string, label: string, content: Html) =>
    html`<div class="scroll" tabindex="0" role="region" aria-label="${label}">${live(id, content)}</div>`;
  return shell(
    `${total > 0 ? `(${total}) ` : ''}clarify-sync: ${facts.workspace}`,
    html`<header><h1>clarify-sync <span class="quiet"><bdi>${facts.workspace}</bdi></span></h1>
<p id="summary" role="status" data-live>${summary(facts)}</p>
<p class="quiet" id="facts" data-live>${role(facts)} · push ${facts.push ? 'on' : 'off'} · ${facts.access} · version ${facts.version}</p></header>
<main>
${notice !== null && html`<p id="notice" tabindex="-1" class="notice ${notice.good ? 'good' : 'bad'}">${notice.text}</p>`}
<section aria-labelledby="h-waiting"><h2 id="h-waiting">Waits for you</h2>${live('waiting', html`${asideList(facts.aside)}${decisions(waiting, { nowMs, formToken })}`)}</section>
<section aria-labelledby="h-objects"><h2 id="h-objects">Objects</h2>${scroll('objects', 'Objects', objectsTable(facts.objects, facts.nextRun, nowMs))}${live('views', staleViews(facts))}</section>
<section aria-labelledby="h-plots"><h2 id="h-plots">Last hours</h2>${live('plots', plots(facts.series, facts.bucketSeconds))}</section>
<section aria-labelledby="h-moves"><h2 id="h-moves">What moved</h2>${scroll('moves', 'What moved', movesList(facts.moves, nowMs))}</section>
<section aria-labelledby="h-allowance"><h2 id="h-allowance">Requests to Clarify</h2>${scroll('allowance', 'Requests to Clarify', allowanceTable(facts.endpoints, nowMs))}</section>
</main>
<footer class="quiet"><p><a href="/metrics">metrics</a> · <a href="/readyz">readiness</a></p></footer>`,
  );
}

function staleViews({ staleViews: views }: PageFacts): Html | null {
  if (views.length === 0) return null;
  return html`<p class="bad">Views still read columns that were put aside when their type changed: <bdi>${views.join('; ')}</bdi></p>`;
}

/** A read that failed once is tried again within the minute: it is news when that does not help. */
const HICCUP_SECONDS = 120;

function summary({ waiting, objects }: PageFacts): Html {
  const aside = objects.reduce((sum, { setAside }) => sum + setAside, 0);
  const said = [
    waiting.openConflicts > 0 && `${plural(waiting.openConflicts, 'conflict')} open`,
    parkedCount(waiting) > 0 && `${plural(parkedCount(waiting), 'change')} parked`,
    aside > 0 && `${plural(aside, 'row')} put aside`,
  ].filter((text) => text !== false);
  const stopped = objects.flatMap(({ object, troubles, lastError }) =>
    troubles.length > 0 && lastError !== NO_RECORDS
      ? [`${object} (${[...new Set(troubles.map(({ part }) => part))].join(', ')})`]
      : [],
  );
  if (stopped.length > 0) said.push(`stopped, and tried again: ${stopped.join(', ')}`);
  const broken = objects.flatMap(({ object, lastError, lagSeconds, troubles }) => {
    if (troubles.length > 0) return [];
    const passing = lagSeconds !== null && lagSeconds < HICCUP_SECONDS;
    return lastError === null || lastError === NO_RECORDS || passing ? [] : [object];
  });
  if (broken.length > 0) said.push(`not read whole: ${broken.join(', ')}`);
  return said.length === 0
    ? html`<span class="good">Everything is in step.</span>`
    : html`<span class="bad">${said.join('; ')}.</span>`;
}

/** What is decided with a conflict is not counted a second time. */
function parkedCount(waiting: Decisions): number {
  return waiting.parkedTotal - (waiting.parked.length - parkedApart(waiting).length);
}

function role({ leads, lease }: PageFacts): Html {
  if (leads) return html`this process leads`;
  return lease === null
    ? html`<span class="bad">nobody leads</span>`
    : html`standing by behind <bdi>${lease.holder}</bdi>`;
}

/** What every page of ours has around it. */
export function shell(title: string, body: Html): Html {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>${title}</title>
<link rel="icon" href="/assets/icon.svg"><link rel="stylesheet" href="/assets/page.css"><script src="/assets/page.js" defer></script></head>
<body>${body}</body></html>
`;
}

export function signInPage(wrong: boolean): Html {
  return shell(
    'Sign in: clarify-sync',
    html`<main class="sign-in"><h1>clarify-sync</h1>
${wrong && html`<p class="bad" role="alert">That is not the token.</p>`}
<form method="post" action="/sign-in"><label for="token">Token</label><input id="token" name="token" type="password" autocomplete="current-password" required autofocus><button>Sign in</button></form>
<p class="quiet">The token is what <code>CLARIFY_SYNC_HTTP_TOKEN</code> is set to where the service runs.</p></main>`,
  );
}
