import { readMerged } from '../conflicts/follow-merges.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import type { Merge } from '../db/reconcile/links.ts';
import { wholeReadingOf } from '../domain/capabilities.ts';
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
  /** Refused to this key, or being merged: that says nothing about the record. */
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
 * 404 to everything. Asks no further once `isTooMuch` says so of the number gone. `certain`: no list
 * has missed them, so that each has to answer twice.
 *
 * @throws RemoteError where a request fails: then nothing is known of anything.
 */
export async function confirmSuspects(
  pass: Pass,
  isTooMuch: (gone: number) => boolean,
  { certain = false }: { readonly certain?: boolean } = {},
): Promise<Confirmed> {
  const { deps, table } = pass;
  const told = await readMerged(deps, table, [...pass.suspects], pass.options);
  pass.counts.requests += told.requests;
  const answers: Answers = {
    gone: [],
    merges: [...told.merges],
    survivors: new Map(told.survivors),
    alive: [],
    refused: 0,
  };
  const before = await isWitnessed(pass);
  const waiting = [...pass.suspects].filter((id) => !told.ids.has(id));
  const unasked = await askAll(pass, waiting, answers, { isTooMuch, certain });
  const { deletions } = deps.remote.capabilitiesOf(table.object);
  if (deletions.kind === 'scan' && deletions.proof === 'read-twice') {
    // Whoever is there after all is no longer among the gone.
    await askAll(pass, answers.gone.splice(0), answers, { isTooMuch: () => false, certain: false });
  }
  const witnessed = answers.gone.length === 0 || (before && (await isWitnessed(pass)));
  return { ...answers, unasked, witnessed };
}

interface Answers {
  readonly gone: string[];
  readonly merges: Merge[];
  readonly survivors: Map<string, RemoteRecord>;
  readonly alive: RemoteRecord[];
  refused: number;
}

/** @returns about how many nobody was asked, since too much was gone, or too little. */
async function askAll(
  pass: Pass,
  waiting: string[],
  answers: Answers,
  how: { readonly isTooMuch: (gone: number) => boolean; readonly certain: boolean },
): Promise<number> {
  const { isTooMuch, certain } = how;
  const { gone, merges, survivors, alive } = answers;
  while (waiting.length > 0 && !isTooMuch(gone.length) && alive.length < MOST_ALIVE) {
    pass.options.signal.throwIfAborted();
    const ids = waiting.splice(0, AT_ONCE);
    const told = await Promise.all(ids.map((id) => ask(pass, pass.table, { id, certain })));
    for (const [index, id] of ids.entries()) {
      const answer = told[index];
      if (answer === 'refused' || answer === undefined) answers.refused += 1;
      else if (answer === null) gone.push(id);
      else if (answer.id === id) alive.push(answer);
      else {
        merges.push({ oldId: id, id: answer.id });
        survivors.set(answer.id, answer);
      }
    }
  }
  return waiting.length;
}

/**
 * No record can be asked for: what two complete readings in a row did not show is gone, as long as
 * the list goes on showing somebody else.
 */
export async function takeForGone(pass: Pass): Promise<Confirmed> {
  const others = (await readFront(pass)).filter(({ id }) => !pass.suspects.has(id));
  return {
    gone: [...pass.suspects],
    merges: [],
    survivors: new Map(),
    alive: [],
    refused: 0,
    unasked: 0,
    witnessed: others.length > 0,
  };
}

/** The record of this id, the one it was merged into, or null where there is none. */
async function ask(
  pass: Pass,
  table: MirrorTable,
  { id, certain }: { readonly id: string; readonly certain: boolean },
): Promise<RemoteRecord | null | 'refused'> {
  pass.counts.requests += 1;
  try {
    const request = { object: table.schema, id, follow: true, certain };
    const record = await pass.deps.remote.readRecord(request, pass.options);
    if (record !== null) pass.counts.read += 1;
    return record;
  } catch (error) {
    if (!(error instanceof RemoteError)) throw error;
    if (error.status === 403 || error.code === 'remote-busy') return 'refused';
    throw error;
  }
}

/** Whether the list answers, and a record it shows answers by its id. */
async function isWitnessed(pass: Pass): Promise<boolean> {
  const { table } = pass;
  const [first] = await readFront(pass);
  for (const id of new Set([pass.witness, first?.id])) {
    if (typeof id !== 'string' || pass.suspects.has(id)) continue;
    const record = await ask(pass, table, { id, certain: false });
    if (record !== null && record !== 'refused' && record.id === id) return true;
  }
  return false;
}

/** The first of the list, one request. */
async function readFront({ deps, table, options, counts }: Pass): Promise<RemoteRecord[]> {
  const { object } = table;
  const orderBy = wholeReadingOf(deps.remote.capabilitiesOf(object));
  const page = await deps.remote.readPage(
    { object: table.schema, orderBy, direction: 'asc', offset: 0, limit: 1 },
    options,
  );
  counts.requests += 1;
  counts.read += page.records.length;
  return page.records;
}
