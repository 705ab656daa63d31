/** How records that changed are found. */
export type ChangeReading =
  /** A list filtered by the last edit, and in its order: a quiet tick is one page. */
  | { readonly kind: 'ordered-filter' }
  /**
   * A list of what was edited since an instant, in another order: pages move while they are read.
   * Whether the instant itself is left out, and what the stamps are cut to, does not matter.
   */
  | {
      readonly kind: 'unordered-filter';
      readonly by: WholeReading;
      /** No more often than this, where the budget does not allow it, whatever a setting says. */
      readonly everyMs?: number;
    }
  /** Everything is read again and again. */
  | {
      readonly kind: 'full-scan';
      readonly by: WholeReading;
      /** As often as the budget allows, unless a setting says otherwise. */
      readonly everyMs?: number;
    };

/**
 * How a whole list is read: `created` where it can be filtered and ordered by creation, `position`
 * where it has pages alone, which slide as records come and go.
 */
export type WholeReading = 'created' | 'position';

/** What proves that a record is gone. */
export type DeletionReading =
  /** The CRM lists deletions, for so many days. */
  | { readonly kind: 'feed'; readonly days: number }
  /**
   * Missing from a complete scan, and then `read`: reading it alone answers that it is not there;
   * `read-twice`: so it does once more, when all have been asked for; `scan`: missing from another
   * complete one too.
   */
  | { readonly kind: 'scan'; readonly proof: 'read' | 'read-twice' | 'scan' };

/** How changes are written. */
export type Writing =
  | {
      /** One record a call. */
      readonly kind: 'single';
      /**
       * A value that does not suit it is passed over without a word, and would be again: what the
       * record does not show right after is not kept.
       */
      readonly dropsSilently?: boolean;
      /** Deletions are many a call, all of it or nothing. */
      readonly removals?: 'bulk';
    }
  /** All of a call, or nothing of it. */
  | { readonly kind: 'bulk' }
  /**
   * The answer is a ticket; what the job did with each record is known by reading it back. Nothing
   * can be said of a record while a job that holds it is open.
   */
  | {
      readonly kind: 'job';
      /** How long after its end a record may still be shown as it was. */
      readonly settleMs: number;
      /** What asking costs is worth it from then on; each further pause is longer. */
      readonly firstPollMs: number;
      /** One whose ticket got lost has ended by then. */
      readonly longestMs: number;
      /** Links go with jobs as well: nothing else writes them. */
      readonly linksInJobs?: boolean;
      /** In how many forms a value may have to be cleared before it is; default one. */
      readonly clearings?: number;
    };

/** What is safe to do about a create whose answer got lost. */
export type Creating =
  /**
   * It is sent again: an upsert by the field that identifies records. What has no identity is looked
   * for among the records created since.
   */
  | { readonly kind: 'upsert' }
  /** It is sent again: every record is created with an id of ours in this field, a unique one. */
  | { readonly kind: 'external-id'; readonly field: string }
  /** It is looked for among the records that hold its value of this field. */
  | { readonly kind: 'lookup'; readonly field: string }
  /** It is looked for among the records created since. */
  | { readonly kind: 'created-since' };

/** Where time and author of a field's last write come from. */
export type FieldTimes =
  /** A feed of each record's edits, to be asked for. */
  | 'feed'
  /** Each value brings them: they are exact. */
  | 'values'
  | 'none';

/**
 * What becomes of a record that is deleted. `restorable`: it is archived, and the CRM brings it back
 * under its id when it is asked to; `archive`: only somebody in the app can.
 */
export type Removal = 'delete' | 'archive' | 'restorable';

/**
 * Records claimed at once, and looked at before: ten full batches, so that several can be under way;
 * one by one as many as are sent in a few seconds, for what is looked at too early may have changed.
 */
export function claimSize(writing: Writing): number {
  return writing.kind === 'single' ? 100 : 1_000;
}

/** What a tombstone says of a record that was taken away. */
export function goneReason(removal: Removal): 'deleted' | 'archived' {
  return removal === 'delete' ? 'deleted' : 'archived';
}

/**
 * What a CRM can do with the records of one object. The engine chooses by it alone; two objects of
 * one CRM may differ in everything.
 */
export interface Capabilities {
  readonly changes: ChangeReading;
  /**
   * What tells which of two versions of a record is the newer: `stamped`, its `_updated_at`;
   * `read`, the time it was read, where `_updated_at` is missing or may go back.
   */
  readonly versions: 'stamped' | 'read';
  /**
   * For how long a write may be missing from what is read, lists above all. Left out where 15 s do
   * and versions tell what is older.
   */
  readonly lateMs?: number;
  readonly deletions: DeletionReading;
  readonly writing: Writing;
  readonly creating: Creating;
  readonly fieldTimes: FieldTimes;
  readonly removal: Removal;
}

export function wholeReadingOf({ changes }: Pick<Capabilities, 'changes'>): WholeReading {
  return changes.kind === 'ordered-filter' ? 'created' : changes.by;
}
