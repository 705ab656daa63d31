import type { ActivityStanding } from '../../db/activities/feeds.ts';
import { describeTrouble } from '../../db/connection/row-trouble.ts';
import { type AsideCause, whatWaits } from '../../db/rows/aside-review.ts';
import type { Move } from '../../db/service/activity.ts';
import type { ObjectStanding } from '../../db/service/status.ts';
import type { EndpointStats } from '../../domain/traffic.ts';
import type { NextRun } from '../status-source.ts';
import { ago, count, plural, span } from './format.ts';
import { type Html, html } from './html.ts';

export function objectsTable(
  objects: readonly ObjectStanding[],
  nextRun: (object: string) => NextRun | null,
  nowMs: number,
): Html {
  if (objects.length === 0) return html`<p class="quiet">Nothing is mirrored yet.</p>`;
  const rows = objects.map((standing) => {
    const { object, rows: total, lagSeconds, lastPulledAt } = standing;
    const next = nextRun(object);
    return html`<tr><th scope="row">${object}</th><td>${count(total)}</td>
<td>${lagSeconds === null ? '–' : span(lagSeconds)}</td><td>${ago(lastPulledAt, nowMs)}</td>
<td class="text">${result(standing, nowMs)}</td>
<td>${number(standing.pending, '')}</td><td>${number(standing.blocked, 'warn')}</td><td>${number(standing.parked, 'warn')}</td><td>${number(standing.openConflicts, 'warn')}</td><td>${number(standing.setAside, 'warn')}</td>
<td>${next === null ? '–' : `in ${span((next.at.getTime() - nowMs) / 1_000)}`}</td></tr>`;
  });
  return html`<table><thead><tr><th scope="col">Object</th><th scope="col">Rows</th><th scope="col">Lag</th><th scope="col">Last pull</th><th scope="col" class="text">Result</th><th scope="col">Pending</th><th scope="col">Blocked</th><th scope="col">Parked</th><th scope="col">Conflicts</th><th scope="col">Aside</th><th scope="col">Next run</th></tr></thead><tbody>${rows}</tbody></table>`;
}

/** Listed by the CRM without records of it: nothing is wrong, and nobody has to do anything. */
export const NO_RECORDS = 'object-unavailable';

function result({ lastRun, lastError, problem, troubles }: ObjectStanding, nowMs: number): Html {
  if (problem !== null) {
    return html`<div class="problem"><span class="bad">${problem.message}</span>${problem.hint !== null && html`: ${problem.hint}`} <code>${lastError}</code></div>`;
  }
  if (lastRun === null) return html`<span class="quiet">none</span>`;
  if (lastError === NO_RECORDS) return html`<span class="quiet">no records</span>`;
  const [trouble] = troubles;
  if (trouble !== undefined) {
    const { part, code, message, hint, nextAttemptAt } = trouble;
    const wait = Math.max(0, (Date.parse(nextAttemptAt) - nowMs) / 1_000);
    return html`${part} <span class="bad">stopped</span> <code title="${[message, hint].filter(Boolean).join('; ')}">${code}</code> <span class="quiet">again in ${span(wait)}</span>`;
  }
  const { kind, state } = lastRun;
  const level = state === 'ok' ? 'good' : state === 'running' ? 'quiet' : 'bad';
  const why = lastError !== null && html` <code>${lastError}</code>`;
  return html`${kind} <span class="${level}">${state}</span>${why}`;
}

/** Rows that a table refuses: nothing to decide here, but something to mend. */
export function asideList(causes: readonly AsideCause[], crm: string): Html {
  if (causes.length === 0) return html``;
  const items = causes.map(({ object, kind, rows, ...cause }) => {
    const why = describeTrouble(cause);
    return html`<li><strong>${object}</strong> <span class="warn">${plural(rows, 'row')}</span> ${whatWaits(kind, crm)}: <bdi>${why}</bdi></li>`;
  });
  return html`<p>Rows put aside; they heal by themselves once the cause is gone.</p><ul class="aside">${items}</ul>`;
}

/** Of a mirrored past alone; null where there is none. */
export function activitiesList(standings: readonly ActivityStanding[]): Html | null {
  if (standings.length === 0) return null;
  const items = standings.map(({ object, records, read, waiting, failed, error }) => {
    return html`<li><strong>${object}</strong> ${count(read)} of ${plural(records, 'record')} read${waiting > 0 && html`, ${count(waiting)} to read`}${failed > 0 && html`, <span class="warn">${count(failed)} failed</span> <code>${error}</code>`}</li>`;
  });
  return html`<p>What is told of the past:</p><ul class="aside">${items}</ul>`;
}

/** Narrow screens break it between its parts. */
function path(endpoint: string): Html {
  const [first = '', ...rest] = endpoint.split('/');
  return html`${first}${rest.map((part) => html`/<wbr>${part}`)}`;
}

function number(value: number, level: string): Html {
  return value === 0
    ? html`<span class="quiet">0</span>`
    : html`<span class="${level}">${count(value)}</span>`;
}

export function allowanceTable(
  endpoints: readonly EndpointStats[],
  { crm, nowMs }: { readonly crm: string; readonly nowMs: number },
): Html {
  if (endpoints.length === 0) return html`<p class="quiet">${crm} was not asked anything yet.</p>`;
  const rows = endpoints
    .toSorted((a, b) => b.requests - a.requests)
    .map(({ endpoint, requests, byStatus, limit, remaining, waiting, heldUntilMs }) => {
      const failed = Object.entries(byStatus).filter(([status]) => !/^[23]/.test(status));
      const used =
        limit === null || remaining === null
          ? html`<span class="quiet">unknown</span>`
          : html`<meter min="0" max="${limit}" value="${limit - remaining}">${limit - remaining}</meter> ${count(limit - remaining)} of ${count(limit)}`;
      return html`<tr><th scope="row">${path(endpoint)}</th><td class="text">${used}${until(heldUntilMs, nowMs)}</td><td>${count(requests)}</td><td class="text">${failed.map(([status, times]) => `${status}: ${times}`).join(', ') || html`<span class="quiet">none</span>`}</td><td>${count(waiting)}</td></tr>`;
    });
  return html`<table><thead><tr><th scope="col">Endpoint</th><th scope="col" class="text">Allowance used</th><th scope="col">Requests</th><th scope="col" class="text">Not answered well</th><th scope="col">Waiting</th></tr></thead><tbody>${rows}</tbody></table>`;
}

function until(untilMs: number | null, nowMs: number): Html | false {
  if (untilMs === null || untilMs <= nowMs) return false;
  const at = new Date(untilMs).toISOString().replace('T', ' ').slice(0, 19);
  return html` <span class="bad">nothing let through until ${at} UTC</span>`;
}

export function movesList(
  moves: readonly Move[],
  { crm, nowMs }: { readonly crm: string; readonly nowMs: number },
): Html {
  if (moves.length === 0) return html`<p class="quiet">Nothing has moved yet.</p>`;
  return html`<ol class="moves">${moves.map((move) => html`<li class="${move.direction}">${ago(move.at, nowMs)} <span class="way">${move.direction === 'in' ? `${crm} → Postgres` : `Postgres → ${crm}`}</span> <span>${describe(move)}</span></li>`)}</ol>`;
}

const MOST_FIELDS = 4;

function describe({ object, what, recordId, op, fields, counts }: Move): Html {
  if (recordId === null) {
    const parts = [
      [counts['inserted'], 'new'],
      [counts['updated'], 'changed'],
      [counts['removed'], 'removed'],
    ] as const;
    const said = parts.flatMap(([times = 0, word]) =>
      times > 0 ? [`${count(times)} ${word}`] : [],
    );
    return html`<strong>${object}</strong> ${said.join(', ')} <span class="quiet">${what}</span>`;
  }
  const more = fields.length - MOST_FIELDS;
  const named = fields.slice(0, MOST_FIELDS).join(', ');
  const level = what === 'done' ? 'good' : what === 'parked' ? 'bad' : 'quiet';
  return html`<strong>${object}</strong> ${op} <code><bdi>${recordId}</bdi></code> <bdi>${named}</bdi>${more > 0 && ` and ${plural(more, 'more field')}`} <span class="${level}">${what}</span>`;
}
