import type { Json } from './json.ts';

/** The linkage of a to-many field: what the answer listed, and how many there really are. */
export interface Linkage {
  readonly ids: readonly string[];
  readonly total: number;
}

/** When a field got the value it has, and from whom. */
export interface WrittenBy {
  /** Epoch milliseconds by the CRM's clock. */
  readonly atMs: number;
  readonly by: string | null;
  /** The CRM wrote it of its own accord: it fills what nobody has. */
  readonly isAutomatic?: boolean | undefined;
}

/** One record as the CRM told it, its values in the shapes that `FieldKind` lists. */
export interface RemoteRecord {
  readonly id: string;
  /** Fields the answer had. A field that is missing is unknown; one that is null is cleared. */
  readonly fields: Readonly<Record<string, Json>>;
  /** ISO-8601 with milliseconds, UTC. */
  readonly createdAt: string | null;
  /** Null until the first edit on some servers. */
  readonly updatedAt: string | null;
  readonly createdBy: string | null;
  readonly updatedBy: string | null;
  /** Ids of records that were merged into this one; null where records do not tell. */
  readonly mergedIds: readonly string[] | null;
  /** Of fields whose value told when it was written, and by whom; where values tell that. */
  readonly writes?: Readonly<Record<string, WrittenBy>>;
  /** When it was saved first, by the clock of `writes`; there where values tell their times. */
  readonly savedAt?: string | null;
  /** Only for fields asked for with `include`. */
  readonly links: Readonly<Record<string, Linkage>>;
  /** How it came; where the adapter tells. */
  readonly trace?: Trace;
  /** It was recognised, and is as its row is: see `Recognition`. Its fields may not be told. */
  readonly isUnchanged?: true;
  /** Fields whose links were found to stand as it tells. */
  readonly standing?: ReadonlySet<string>;
}

/** By which a record is recognised when it comes again. */
export interface Trace {
  /** Of its text and of what reading it hangs on. */
  readonly digest: string;
  /** Every link that it told of, whatever was asked for. */
  readonly links: Readonly<Record<string, Linkage>>;
  /** A hash of its fields, where it takes them to tell whether it has moved in its list. */
  readonly content?: string;
}

/** A record that was deleted, with its attributes as they were. */
export interface DeletedRecord {
  readonly record: RemoteRecord;
  /** Epoch milliseconds, to the second. */
  readonly deletedAtMs: number;
}
