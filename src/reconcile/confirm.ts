import { readMerged } from '../conflicts/follow-merges.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import type { Merge } from '../db/reconcile/links.ts';
import { RemoteError } from '../domain/errors.ts';
import type { RemoteRecord } from '../domain/record.ts';
import type { Pass } from './pass.ts';

/** What single requests said of the suspects. */
export interface Confirmed {
  /** 404, each on its own. */
  readonly gone: readonly string[];
  readonly merges: readonly Merge[];
  /** Of the merges, as they are now. */
  readonly survivors: ReadonlyMap<string, RemoteRecord>;
  /** There after all: a list left them out, or they have come back. */
  readonly alive: readonly RemoteRecord[];
  /** Refused to this key: that says nothing about the record. */
  readonly refused: number;
  /** Asked about no further: too much is gone to go without a person, or too little. */
  readonly unasked: number;
  /** Whether a record known to live, and the list, answered before and after. */
  readonly witnessed: boolean;
}

/** Beyond this many that answer, a list cannot be believed. */
const MOST_ALIVE = 1_000;
/** Requests under way at a time: the client's own limit per endpoint is 8. */
const AT_ONCE = 8;

/**
 * Asks for every suspect by its id. A 404 is believed only while the object's list and a record
 * known to live answer, before and after (invariant 6): a key that lost sight of the object says
 * 404 to everything. Asks no further once `isTooMuch` says so of the number gone.
 *
 * @throws RemoteError where a request fails: then nothing is known of anything.
 */
export async function confirmSuspects(
  pass: Pass,
  isTooMuch: (gone: number) => boolean,
): Promise<Confirmed> {
  const { deps, table } = pass;
  const told = await readMerged(deps, table, [...pass.suspects], pass.options);
  pass.counts.requests += told.requests;
  const merges = [...told.merges];
  const survivors = new Map(told.survivors);
  const gone: string[] = [];
  const alive: RemoteRecord[] = [];
  let refused = 0;

  const before = await isWitnessed(pass);
  const waiting = [...pass.suspects].filter((id) => !told.ids.has(id));
  while (waiting.length > 0 && !isTooMuch(gone.length) && alive.length < MOST_ALIVE) {
    pass.options.signal.throwIfAborted();
    const ids = waiting.splice(0, AT_ONCE);
    const answers = await Promise.all(ids.map((id) => ask(pass, table, id)));
    for (const [index, id] of ids.entries()) {
      const answer = answers[index];
      if (answer === 'refused' || answer === undefined) refused += 1;
      else if (answer === null) gone.push(id);
      else if (answer.id === id) alive.push(answer);
      else {
        merges.push({ oldId: id, id: answer.id });
        survivors.set(answer.id, answer);
      }
    }
  }
  const witnessed = gone.length === 0 || (before && (await isWitnessed(pass)));
  return { gone, merges, survivors, alive, refused, unasked: waiting.length, witnessed };
}

/** The record of this id, the one it was merged into, or null where there is none. */
async function ask(
  pass: Pass,
  table: MirrorTable,
  id: string,
): Promise<RemoteRecord | null | 'refused'> {
  pass.counts.requests += 1;
  try {
    const request = { object: table.schema, id, follow: true };
    const record = await pass.deps.remote.readRecord(request, pass.options);
    if (record !== null) pass.counts.read += 1;
    return record;
  } catch (error) {
    if (error instanceof RemoteError && error.status === 403) return 'refused';
    throw error;
  }
}

/** Whether the list answers, and a record it shows answers by its id. */
async function isWitnessed(pass: Pass): Promise<boolean> {
  const { deps, table, options, counts } = pass;
  const request = { object: table.schema, orderBy: 'created', direction: 'asc' } as const;
  const page = await deps.remote.readPage({ ...request, offset: 0, limit: 1 }, options);
  counts.requests += 1;
  counts.read += page.records.length;
  for (const id of new Set([pass.witness, page.records[0]?.id])) {
    if (typeof id !== 'string' || pass.suspects.has(id)) continue;
    const record = await ask(pass, table, id);
    if (record !== null && record !== 'refused' && record.id === id) return true;
  }
  return false;
}
