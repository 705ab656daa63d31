import type { Lease } from '../../db/lease/lease.ts';
import type { AsideCause } from '../../db/rows/aside-review.ts';
import type { Move } from '../../db/service/activity.ts';
import type { ObjectStanding } from '../../db/service/status.ts';
import type { EndpointStats } from '../../domain/traffic.ts';
import type { Beside } from '../beside.ts';
import type { NextRun, WorkspaceState } from '../status-source.ts';
import { besideList, refusedComments } from './beside.ts';
import { type Decisions, decisions, parkedApart } from './decisions.ts';
import { plural, span } from './format.ts';
import { type Html, html } from './html.ts';
import { plots } from './plots.ts';
import type { Series } from './series.ts';
import {
  activitiesList,
  allowanceTable,
  asideList,
  movesList,
  NO_RECORDS,
  objectsTable,
} from './tables.ts';

/** Everything one look at the page takes. */
export interface PageFacts {
  readonly workspace: string;
  /** The title of its CRM. */
  readonly crm: string;
  /** Where its pages are: `/`, or `/w/acme/`. */
  readonly base: string;
  /** What a workspace is in a fleet; null where there is none. */
  readonly member: Member | null;
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
  /** How far what is no record was read, and what of it waits. */
  readonly beside: Beside;
  readonly nowMs: number;
  readonly formToken: string;
  /** What came of what was asked before. */
  readonly notice: { readonly text: string; readonly good: boolean } | null;
}

/** A workspace in its fleet. */
export interface Member {
  readonly name: string;
  /** The title of its CRM. */
  readonly crm: string;
  readonly state: WorkspaceState;
}

export function statusPage(facts: PageFacts): Html {
  const { nowMs, formToken, notice, waiting, base, member, crm } = facts;
  const total = waiting.openConflicts + parkedCount(waiting) + refusedCount(facts);
  const live = (id: string, content: Html | null) =>
    html`<div id="${id}" data-live>${content}</div>`;
  const scroll = (id: string, label: string, content: Html) =>
    html`<div class="scroll" tabindex="0" role="region" aria-label="${label}">${live(id, content)}</div>`;
  return shell(
    pageTitle(member?.name ?? facts.workspace, total),
    html`<header>${memberHead(facts)}
<p id="summary" role="status" data-live>${summary(facts)}</p>
<p class="quiet" id="facts" data-live>${crm} · ${role(facts)} · push ${facts.push ? 'on' : 'off'} · ${facts.access} · version ${facts.version}</p></header>
<main>
${notice !== null && html`<p id="notice" tabindex="-1" class="notice ${notice.good ? 'good' : 'bad'}">${notice.text}</p>`}
<section aria-labelledby="h-waiting"><h2 id="h-waiting">Waits for you</h2>${live('waiting', html`${asideList(facts.aside, crm)}${refusedComments(facts.beside.comments, crm)}${decisions(waiting, { nowMs, formToken, base, crm })}`)}</section>
<section aria-labelledby="h-objects"><h2 id="h-objects">Objects</h2>${scroll('objects', 'Objects', objectsTable(facts.objects, facts.nextRun, nowMs))}${live('views', staleViews(facts))}${live('past', activitiesList(facts.beside.activities))}${live('beside', besideList(facts.beside, nowMs))}</section>
<section aria-labelledby="h-plots"><h2 id="h-plots">Last hours</h2>${live('plots', plots(facts.series, { crm, bucketSeconds: facts.bucketSeconds }))}</section>
<section aria-labelledby="h-moves"><h2 id="h-moves">What moved</h2>${scroll('moves', 'What moved', movesList(facts.moves, facts))}</section>
<section aria-labelledby="h-allowance"><h2 id="h-allowance">Requests to ${crm}</h2>${scroll('allowance', `Requests to ${crm}`, allowanceTable(facts.endpoints, facts))}</section>
</main>
<footer class="quiet"><p><a href="/metrics">metrics</a> · <a href="/readyz">readiness</a></p></footer>`,
  );
}

/** @param waiting how much there is to decide. */
export function pageTitle(about: string, waiting: number): string {
  return `${waiting > 0 ? `(${waiting}) ` : ''}clarify-sync: ${about}`;
}

function memberHead({ member, workspace, nowMs }: PageFacts): Html {
  if (member === null) {
    return html`<h1>clarify-sync <span class="quiet"><bdi>${workspace}</bdi></span></h1>`;
  }
  return html`${memberTitle(member)}
<div id="state" data-live>${brokenNotice(member.state, nowMs)}</div>`;
}

function memberTitle({ name, crm }: Member): Html {
  return html`<p><a href="/">All workspaces</a></p><h1><bdi>${name}</bdi> <span class="quiet">${crm}</span></h1>`;
}

/** Of a workspace whose database cannot be read now: what this process knows without it. */
export function unreadPage(
  member: Member,
  why: { readonly message: string | null; readonly nowMs: number },
): Html {
  return shell(
    pageTitle(member.name, 0),
    html`<header>${memberTitle(member)}
<p id="summary" role="status" data-live><span class="bad">Its tables cannot be read now.</span></p></header>
<main><div id="state" data-live>${brokenNotice(member.state, why.nowMs)}</div>${why.message !== null && html`<p><bdi>${why.message}</bdi></p>`}</main>`,
  );
}

function staleViews({ staleViews: views }: PageFacts): Html | null {
  if (views.length === 0) return null;
  return html`<p class="bad">Views still read columns that were put aside when their type changed: <bdi>${views.join('; ')}</bdi></p>`;
}

/** A read that failed once is tried again within the minute: it is news when that does not help. */
const HICCUP_SECONDS = 120;

function refusedCount({ beside }: Pick<PageFacts, 'beside'>): number {
  return beside.comments.reduce((sum, { parked }) => sum + parked, 0);
}

function summary({ waiting, objects, beside }: PageFacts): Html {
  const refused = refusedCount({ beside });
  const aside = objects.reduce((sum, { setAside }) => sum + setAside, 0);
  const said = [
    waiting.openConflicts > 0 && `${plural(waiting.openConflicts, 'conflict')} open`,
    parkedCount(waiting) > 0 && `${plural(parkedCount(waiting), 'change')} parked`,
    refused > 0 && `${plural(refused, 'comment')} refused`,
    aside > 0 && `${plural(aside, 'row')} put aside`,
  ].filter((text) => text !== false);
  const stopped = objects.flatMap(({ object, troubles, lastError }) =>
    troubles.length > 0 && lastError !== NO_RECORDS
      ? [`${object} (${[...new Set(troubles.map(({ part }) => part))].join(', ')})`]
      : [],
  );
  stopped.push(...beside.troubles.map(({ part }) => part));
  if (stopped.length > 0) said.push(`stopped, and tried again: ${stopped.join(', ')}`);
  const broken = objects.flatMap(({ object, lastError, lagSeconds, troubles }) => {
    if (troubles.length > 0) return [];
    const passing = lagSeconds !== null && lagSeconds < HICCUP_SECONDS;
    return lastError === null || lastError === NO_RECORDS || passing ? [] : [object];
  });
  if (broken.length > 0) said.push(`not read whole: ${broken.join(', ')}`);
  return said.length === 0
    ? html`<span class="good">Everything is in step.</span>`
    : html`<span class="bad">${sentence(said.join('; '))}</span>`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
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

/** Why a workspace stands still while its fleet goes on; null where it does not. */
export function brokenNotice(state: WorkspaceState, nowMs: number): Html | null {
  if (state.kind !== 'broken') return null;
  const { code, message, hint, retryAt } = state;
  const inSeconds = retryAt === null ? null : (retryAt.getTime() - nowMs) / 1_000;
  const again =
    inSeconds === null
      ? 'It is tried again when the file is read anew.'
      : inSeconds < 1
        ? 'It is tried again now.'
        : `It is tried again in ${span(inSeconds)}.`;
  return html`<p class="bad">Stopped: <bdi>${message}</bdi></p><p><code>${code}</code></p>${hint !== null && html`<p><bdi>${hint}</bdi></p>`}<p class="quiet">${again}</p>`;
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
