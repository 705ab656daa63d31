import type { Json } from './json.ts';
import type { EntryRewrite, FieldChanges, PendingEntry } from './merge-record.ts';

/** What a person decided for a field in open conflict. */
export type FieldVerdict =
  | { readonly take: 'local' }
  | { readonly take: 'remote' }
  | { readonly take: 'value'; readonly value: Json };

export interface FieldDecision {
  readonly entries: readonly EntryRewrite[];
  /** The entry that has the field to send now; null where nothing is to be sent. */
  readonly released: bigint | null;
  /** Whether the field was written once more, after what the decision is about: that stands. */
  readonly newerEdit: boolean;
}

/**
 * Carries a person's decision about one field into what waits for its record, oldest entry first.
 * `held` are the entries parked for open conflicts; what else they hold stays parked. What is to
 * be sent is measured against the remote value the decision was made on: should that change once
 * more, it is a conflict again and overwrites nothing (invariant 5). Pure.
 */
export function decideField(
  name: string,
  waiting: readonly PendingEntry[],
  context: {
    readonly held: ReadonlySet<bigint>;
    readonly verdict: FieldVerdict;
    /** What the CRM holds now. */
    readonly remote: Json;
  },
): FieldDecision {
  const { held, verdict, remote } = context;
  const holders = waiting.filter(({ id, changes }) => held.has(id) && Object.hasOwn(changes, name));
  const others = waiting.filter(
    ({ id, op, changes }) =>
      !held.has(id) &&
      op !== 'delete' &&
      op !== 'link' &&
      op !== 'unlink' &&
      Object.hasOwn(changes, name),
  );
  const last = holders.at(-1);
  const local = last?.changes[name];
  const newerEdit = others.length > 0;
  if (!last || !local) return { entries: [], released: null, newerEdit };
  const dropped = verdict.take === 'remote' ? holders : holders.slice(0, -1);
  const entries = dropped.map((entry) => withoutField(entry, name, verdict.take));
  if (verdict.take === 'remote') {
    return {
      entries: [...entries, ...rebaseFirst(others, name, remote)],
      released: null,
      newerEdit,
    };
  }
  const value = verdict.take === 'value' ? verdict.value : local.value;
  const sent = { [name]: { base: remote, value } };
  const parked = omit(last.changes, name);
  const released: EntryRewrite = { id: last.id, changes: sent, state: 'pending', parked };
  return { entries: [...entries, released], released: last.id, newerEdit };
}

function withoutField(
  { id, changes }: PendingEntry,
  name: string,
  take: FieldVerdict['take'],
): EntryRewrite {
  const left = omit(changes, name);
  if (Object.keys(left).length > 0) return { id, changes: left, state: 'parked', parked: {} };
  const state = take === 'remote' ? 'cancelled' : 'superseded';
  return { id, changes: null, state, parked: {} };
}

/** An edit made on top of what is given up lies on the remote value from now on. */
function rebaseFirst(
  edits: readonly PendingEntry[],
  name: string,
  remote: Json,
): readonly EntryRewrite[] {
  const first = edits.find(({ state }) => state !== 'sending');
  const change = first?.changes[name];
  if (!first || !change) return [];
  const state = first.state === 'parked' ? 'parked' : 'pending';
  const changes = { ...first.changes, [name]: { base: remote, value: change.value } };
  return [{ id: first.id, changes, state, parked: {} }];
}

function omit(changes: FieldChanges, name: string): FieldChanges {
  return Object.fromEntries(Object.entries(changes).filter(([field]) => field !== name));
}
