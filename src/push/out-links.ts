import { readLinkList } from '../conflicts/link-pages.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import type { JobContent, OutRecord } from '../db/outbox/jobs.ts';
import { RemoteError } from '../domain/errors.ts';
import type { RemoteRecord } from '../domain/record.ts';
import type { RemoteJobs } from '../domain/remote.ts';
import type { SentLink } from './link-claim.ts';
import { settleLinksAgain, viewOfField } from './link-report.ts';
import type { LinkSent } from './link-send.ts';
import type { PushCounts, PushDeps } from './push-deps.ts';
import { NOT_KEPT } from './sent.ts';

interface Round {
  readonly epoch: bigint;
  readonly readAt: string;
  readonly jobs: RemoteJobs;
  readonly outcome: 'completed' | 'failed';
  /** What does not show by now never will. */
  readonly isFinal: boolean;
  /** Whoever is not shown is taken not to be there, however the list moves. */
  readonly believesAll: boolean;
  /** Records that were found to be deleted. */
  readonly gone: ReadonlySet<string>;
  /** A change that was out so often was out alone, the last times. */
  readonly mostAttempts: number;
  readonly signal: AbortSignal;
}

/**
 * Settles the links that a job carried by what their records show, read back with their links.
 *
 * @returns what came of it, and whether something does not show that still may.
 */
export async function settleOutLinks(
  deps: PushDeps,
  table: MirrorTable,
  round: Round,
  out: readonly OutRecord[],
): Promise<{ readonly waits: boolean; readonly counts: PushCounts }> {
  const { epoch, readAt, signal } = round;
  const counts = { delivered: 0, refused: 0, gone: 0, failed: 0, unclear: 0 };
  const carried = out.flatMap(({ content, attempts }) =>
    content.kind === 'links' ? [{ content, attempts }] : [],
  );
  const [field = ''] = carried.map(({ content }) => content.field);
  const view = viewOfField(deps.links, { object: table.object, field });
  if (view === null) return { waits: false, counts };
  const ids = carried.map(({ content }) => content.id);
  const request = { object: table.schema, ids, externalIds: [], links: true };
  const call = { priority: 'push', signal } as const;
  const back = await round.jobs.readBack(request, call);
  const shown = new Map(back.records.map((record) => [record.id, record]));
  const isCertain = back.isWhole || round.believesAll;
  let waits = false;
  const sent = [];
  for (const { content, attempts } of carried) {
    const record = shown.get(content.id);
    const set = record === undefined ? null : await linksOf(deps, table, field, record, signal);
    const isGone = record === undefined && round.gone.has(content.id);
    const mayShow = !round.isFinal || (record === undefined ? !isCertain : set === null);
    const results: LinkSent[] = [];
    for (const change of changesOf(content)) {
      const isShown = set !== null && set.has(change.other) === (change.kind === 'link');
      if (isShown) results.push({ kind: 'delivered', change });
      else if (isGone) results.push({ kind: 'gone', change, end: 'here' });
      else if (mayShow) waits = true;
      else if (record === undefined && round.outcome === 'completed') {
        results.push({ kind: 'gone', change, end: 'here' });
      } else
        results.push(await judge(deps, { change, attempts, target: view.there.object }, round));
    }
    if (results.length === 0) continue;
    for (const { kind } of results) counts[kind] += 1;
    const outgoing = { recordId: content.id, attempts, changes: results.map((one) => one.change) };
    sent.push({ outgoing, results, set, mapped: new Set<string>() });
  }
  await settleLinksAgain(deps, { view, table, epoch, readAt }, sent);
  return { waits, counts };
}

/** All of a record's links, also where only some are shown; null where they do not hold still. */
async function linksOf(
  { remote }: Pick<PushDeps, 'remote'>,
  { schema }: MirrorTable,
  field: string,
  record: RemoteRecord,
  signal: AbortSignal,
): Promise<ReadonlySet<string> | null> {
  const linkage = record.links[field];
  if (linkage !== undefined && linkage.ids.length >= linkage.total) return new Set(linkage.ids);
  const request = { object: schema, id: record.id, field };
  const list = await readLinkList(remote, request, { priority: 'push', signal });
  return list.kind === 'whole' ? list.ids : null;
}

/** What does not show, and will not any more. */
async function judge(
  { remote, tables }: Pick<PushDeps, 'remote' | 'tables'>,
  out: { readonly change: SentLink; readonly attempts: number; readonly target: string },
  { outcome, mostAttempts, signal }: Round,
): Promise<LinkSent> {
  const { change, attempts, target } = out;
  if (outcome === 'failed') {
    const kind = attempts >= mostAttempts ? 'refused' : 'failed';
    return { kind, change, error: notDone('job-failed', 'a job with it failed') };
  }
  // What is linked with nobody is passed over; where one can be asked for alone, that is found out.
  const schema = tables.find(({ object }) => object === target)?.schema;
  const { deletions } = remote.capabilitiesOf(target);
  if (schema !== undefined && deletions.kind === 'scan' && deletions.proof === 'read') {
    const request = { object: schema, id: change.other, certain: true };
    const other = await remote.readRecord(request, { priority: 'push', signal });
    if (other === null) return { kind: 'gone', change, end: 'there' };
  }
  return { kind: 'refused', change, error: notDone(NOT_KEPT, 'it does not show') };
}

function changesOf(content: JobContent & { readonly kind: 'links' }): readonly SentLink[] {
  return content.links.map(({ entry, earlier, kind, other }) => {
    return { entry: BigInt(entry), earlier: earlier.map(BigInt), kind, other };
  });
}

function notDone(code: string, says: string): RemoteError {
  return new RemoteError(`a link was taken, and ${says}`, {
    code,
    disposition: code === NOT_KEPT ? 'park' : 'retry',
    status: null,
  });
}
