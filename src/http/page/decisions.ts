import type { ConflictEntry } from '../../db/outbox/conflict-review.ts';
import { codeOf, needsDecision, type OutboxEntry } from '../../db/outbox/review.ts';
import type { Json } from '../../domain/json.ts';
import { ago, count, plural, value } from './format.ts';
import { type Html, html } from './html.ts';

export interface Decisions {
  readonly conflicts: readonly ConflictEntry[];
  readonly openConflicts: number;
  readonly parked: readonly OutboxEntry[];
  readonly parkedTotal: number;
}

export interface DecisionContext {
  readonly nowMs: number;
  /** Proves that a form was on a page of ours. */
  readonly formToken: string;
  /** Where the pages of this workspace are: `/`, or `/w/acme/`. */
  readonly base: string;
  /** The title of the CRM. */
  readonly crm: string;
}

const APPROVABLE: readonly (string | null)[] = ['mass-delete', 'delete-needs-approval'];

/** Everything that waits for a person: open conflicts first, then what is parked. */
export function decisions(waiting: Decisions, context: DecisionContext): Html {
  const { conflicts } = waiting;
  const others = parkedApart(waiting);
  if (conflicts.length + others.length === 0) {
    return html`<p class="quiet">Nothing waits for you.</p>`;
  }
  const more =
    waiting.openConflicts - conflicts.length + waiting.parkedTotal - waiting.parked.length;
  return html`${conflicts.map((conflict) => conflictCard(conflict, context))}
${approveTogether(others, context)}${others.map((entry) => parkedCard(entry, context))}
${more > 0 && html`<p>And ${count(more)} more: <code>clarify-sync conflicts list</code>, <code>clarify-sync outbox list --state parked</code>.</p>`}`;
}

/** Without entries that wait for a conflict: each is one decision, and shown with the conflict. */
export function parkedApart({ conflicts, parked }: Decisions): readonly OutboxEntry[] {
  const contested = new Set(conflicts.map(({ object, recordId }) => `${object} ${recordId}`));
  return parked.filter(
    (entry) =>
      codeOf(entry) !== 'conflict-open' || !contested.has(`${entry.object} ${entry.recordId}`),
  );
}

function conflictCard(conflict: ConflictEntry, context: DecisionContext): Html {
  const { nowMs, base: at, crm } = context;
  const { id, object, recordId, field, base, local, remote, remoteBy } = conflict;
  const which = `${field} of ${object} ${recordId}`;
  const act = (path: string, label: string) =>
    button({ path: `${at}conflicts/${id}/${path}`, label, about: which }, context);
  const by = remoteBy === null ? null : html` <span class="quiet">by <bdi>${remoteBy}</bdi></span>`;
  return html`<article class="card" aria-labelledby="conflict-${id}">
<h3 id="conflict-${id}"><span class="badge">conflict</span> <bdi>${field}</bdi> of ${object} <code><bdi>${recordId}</bdi></code></h3>
<p class="quiet">Both sides changed it, ${ago(conflict.detectedAt, nowMs)}. Until you decide, each keeps its own value.</p>
<dl class="sides"><div><dt>Both agreed on</dt><dd>${value(base)}</dd></div><div><dt>Here (local)</dt><dd>${value(local)}</dd></div><div><dt>In ${crm} (remote)${by}</dt><dd>${value(remote)}</dd></div></dl>
<div class="actions">${act('take-local', 'Take local')}${act('take-remote', 'Take remote')}</div>
</article>`;
}

function parkedCard(entry: OutboxEntry, context: DecisionContext): Html {
  const { nowMs, base, crm } = context;
  const { id, object, op, recordId, lastError } = entry;
  const which = `${op} of ${object} ${recordId}`;
  const code = codeOf(entry);
  const reason = lastError?.slice((code ?? '').length).replace(/^:\s*/, '') ?? '';
  const act = (path: string, label: string, confirm?: string) =>
    button({ path: `${base}outbox/${id}/${path}`, label, about: which, confirm }, context);
  return html`<article class="card" aria-labelledby="entry-${id}">
<h3 id="entry-${id}"><span class="badge">parked</span> ${op} ${object} <code><bdi>${recordId}</bdi></code></h3>
<p><code>${code ?? 'parked'}</code> <bdi>${reason}</bdi></p>
<p class="quiet">Written ${ago(entry.createdAt, nowMs)} by <bdi>${entry.writtenBy}</bdi>, ${entry.attempts === 0 ? 'never sent' : `sent ${plural(entry.attempts, 'time')}`}.</p>
${changes(entry, crm)}
<div class="actions">${!needsDecision(entry) && act('retry', 'Retry')}${APPROVABLE.includes(code) && act('approve', 'Approve')}${act('discard', 'Discard', `Give this change up? The row gets back what ${crm} holds now.`)}<a href="${base}outbox/${id}" aria-label="Compare ${which} with ${crm}">Compare with ${crm}</a></div>
</article>`;
}

function changes(entry: OutboxEntry, crm: string): Html {
  return html`<details><summary>${plural(Object.keys(entry.changes).length, 'field')}</summary>${sidesTable(entry, crm)}</details>`;
}

/** Base and local of every field, and remote where it was asked for. */
export function sidesTable(
  { changes: fields, op, object, recordId }: OutboxEntry,
  crm: string,
  remote?: Readonly<Record<string, Json>> | null,
): Html {
  const rows = Object.entries(fields).map(
    ([field, { base, value: local }]) =>
      html`<tr><th scope="row"><bdi>${field}</bdi></th><td>${value(base)}</td><td>${value(local)}</td>${
        remote !== undefined &&
        html`<td>${remote === null ? null : value(Object.hasOwn(remote, field) ? remote[field] : undefined)}</td>`
      }</tr>`,
  );
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Fields of ${op} ${object} ${recordId}"><table>
<thead><tr><th scope="col">Field</th><th scope="col">Both agreed on</th><th scope="col">Here (local)</th>${remote !== undefined && html`<th scope="col">In ${crm} (remote)</th>`}</tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

/** Sixty deletes are one decision. */
function approveTogether(
  entries: readonly OutboxEntry[],
  { formToken, base, crm }: DecisionContext,
): Html | null {
  const deletes = entries.filter((entry) => APPROVABLE.includes(codeOf(entry)));
  if (deletes.length < 2) return null;
  const confirm = `Let ${plural(deletes.length, 'delete')} go to ${crm}?`;
  return html`<form method="post" action="${base}outbox/approve" class="together" data-confirm="${confirm}"><input type="hidden" name="form" value="${formToken}">${deletes.map(({ id }) => html`<input type="hidden" name="id" value="${id}">`)}<button>Approve the ${plural(deletes.length, 'delete')} below</button></form>`;
}

function button(
  to: {
    readonly path: string;
    readonly label: string;
    readonly about: string;
    readonly confirm?: string | undefined;
  },
  { formToken }: DecisionContext,
): Html {
  return html`<form method="post" action="${to.path}"${to.confirm !== undefined && html` data-confirm="${to.confirm}"`}><input type="hidden" name="form" value="${formToken}"><button aria-label="${to.label}: ${to.about}">${to.label}</button></form>`;
}
