import type { CommentStanding } from '../../db/side/comments.ts';
import type { SideStanding } from '../../db/side/standing.ts';
import type { Beside } from '../beside.ts';
import { ago, count, plural, span } from './format.ts';
import { type Html, html } from './html.ts';

/** Of tables beside the records alone; null where there is none. */
export function besideList({ sides, comments, troubles }: Beside, nowMs: number): Html | null {
  const unsent = comments.filter(({ waiting }) => waiting > 0);
  const users = troubles.filter(({ part }) => part === 'users');
  if (sides.length + unsent.length + users.length === 0) return null;
  return html`<p>Beside the records:</p><ul class="aside">${sides.map((one) => side(one, nowMs))}${unsent.map(
    ({ object, waiting }) =>
      html`<li><strong>comments on ${object}</strong> ${count(waiting)} to send</li>`,
  )}${users.map(
    ({ code, message }) =>
      html`<li><strong>users</strong> <span class="bad">stopped</span> <code title="${message}">${code}</code></li>`,
  )}</ul>`;
}

function side({ part, object, ...standing }: SideStanding, nowMs: number): Html {
  const { units, read, due, failed, oldestReadAt, error, nextAttemptAt } = standing;
  const name = object === null ? part : `${part} of ${object}`;
  const stopped =
    nextAttemptAt !== null &&
    html`, <span class="bad">stopped</span>, again in ${span(Math.max(0, (Date.parse(nextAttemptAt) - nowMs) / 1_000))}`;
  // Of records one is read when it changes: its age says nothing.
  const age = object === null && oldestReadAt !== null && html`, ${ago(oldestReadAt, nowMs)}`;
  return html`<li><strong>${name}</strong> ${count(read)} of ${count(units)} read${age}${due > 0 && html`, ${count(due)} to read`}${failed > 0 && html`, <span class="warn">${count(failed)} failed</span>`}${stopped}${error !== null && html` <code>${error}</code>`}</li>`;
}

/** Comments that a person has to take back or write anew; null where there is none. */
export function refusedComments(comments: readonly CommentStanding[], crm: string): Html | null {
  const refused = comments.filter(({ parked }) => parked > 0);
  if (refused.length === 0) return null;
  const items = refused.map(
    ({ object, parked }) =>
      html`<li><strong>${object}</strong> <span class="warn">${plural(parked, 'comment')}</span></li>`,
  );
  return html`<p>Comments that ${crm} refused; <code>last_error</code> in <code>comment_outbox</code> says why. Delete the row, or delete it and write it anew.</p><ul class="aside">${items}</ul>`;
}
