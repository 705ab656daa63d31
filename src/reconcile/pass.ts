import type { ReadDeps, ReadOptions } from '../conflicts/read-object.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import type { MassDelete } from '../domain/mass-delete.ts';

export interface ReconcileOptions extends ReadOptions {
  /** Read every record and compare every field. */
  readonly deep?: boolean | undefined;
  /** Let equal totals pass for agreement: one request. */
  readonly quick?: boolean | undefined;
  /** A person has said that whatever proves to be gone may go. */
  readonly approve?: boolean | undefined;
  readonly massDelete: MassDelete;
  /** Fingerprint of the key in use. */
  readonly key: string;
}

/** What a comparison came to. A type of its own, so that it can be logged as plain counts. */
export type ReconcileCounts = {
  requests: number;
  /** Records read. */
  read: number;
  /** Records that had no row. */
  missing: number;
  /** Rows that differed from their record. */
  differed: number;
  /** Rows that no list showed. */
  suspects: number;
  /** Of these: their record is gone, and so are they. */
  deleted: number;
  /** Of these: their record lives on in another. */
  merged: number;
  /** References that were pointed at the survivor of a merge. */
  relinked: number;
  /** Links that were missing, and that were too many. */
  linked: number;
  unlinked: number;
  /** Gone, and waiting for a person's approval. At least so many. */
  waiting: number;
  /** Neither seen nor proven to be gone: left alone. */
  unconfirmed: number;
  /** Known records that came without a readable `_updated_at`. */
  undated: number;
  /** Put aside because somebody holds the row. */
  deferred: number;
  /** Put aside because a constraint or a trigger of others keeps or refuses the row. */
  setAside: number;
  conflicts: number;
};

/** One comparison of one object, under way. */
export interface Pass {
  readonly deps: ReadDeps;
  readonly table: MirrorTable;
  readonly options: ReconcileOptions;
  readonly counts: ReconcileCounts;
  /** Ids of rows that no list showed. */
  readonly suspects: Set<string>;
  /** Beyond this many suspects nothing more can be learned without a person. */
  readonly suspectLimit: number;
  readonly isFull: boolean;
  /** A record that a list of this pass showed. */
  witness: string | null;
}

export function startPass(
  deps: ReadDeps,
  table: MirrorTable,
  options: ReconcileOptions,
  suspectLimit: number,
): Pass {
  const suspects = new Set<string>();
  return {
    deps,
    table,
    options,
    counts: {
      requests: 0,
      read: 0,
      missing: 0,
      differed: 0,
      suspects: 0,
      deleted: 0,
      merged: 0,
      relinked: 0,
      linked: 0,
      unlinked: 0,
      waiting: 0,
      unconfirmed: 0,
      undated: 0,
      deferred: 0,
      setAside: 0,
      conflicts: 0,
    },
    suspects,
    suspectLimit,
    get isFull() {
      return suspects.size >= suspectLimit;
    },
    witness: null,
  };
}

export function suspect(pass: Pass, id: string): void {
  pass.suspects.add(id);
  pass.counts.suspects = pass.suspects.size;
}
