import type { Json } from './json.ts';

/**
 * What a workspace has beside its records, each read as a whole and kept in a table of its own:
 *
 * - `setting` settings of the workspace
 * - `list` lists of records, `list_member` who is in one
 * - `campaign_recipient` whom a campaign was sent to
 * - `attachment` files of a record, without what is in them
 * - `comment` what people said of a record
 */
export type SidePart =
  | 'setting'
  | 'list'
  | 'list_member'
  | 'campaign_recipient'
  | 'attachment'
  | 'comment';

/** Parts whose units are records. */
export type OfRecord = Extract<SidePart, 'attachment' | 'comment'>;

/** What one reading is of. Either is empty where the part has no such thing. */
export interface SideUnit {
  /** The object of the record, or of the list. */
  readonly object: string;
  /** The record, the list or the campaign. */
  readonly key: string;
}

export interface SideRequest extends SideUnit {
  readonly part: SidePart;
  /** Of `comment`, which no list tells: those of the record, from its past. */
  readonly ids?: readonly string[];
  readonly offset: number;
  /** At most this many; a server may give fewer on every page. */
  readonly limit: number;
}

export interface SideItem {
  /** No two of one unit have the same. */
  readonly id: string;
  readonly fields: Readonly<Record<string, Json>>;
}

/** A comment that is to be created. */
export interface NewComment {
  /** A UUID of ours, which it keeps. */
  readonly id: string;
  readonly object: string;
  readonly recordId: string;
  /** Ids that the record had before; of those that were merged into it as well. */
  readonly formerIds: readonly string[];
  /** Blocks of text. */
  readonly message: Json;
  /** An earlier request may have arrived. */
  readonly inDoubt: boolean;
}

export interface SidePage {
  readonly items: readonly SideItem[];
  /** How many there are, where the server says. */
  readonly total: number | null;
  /** Whether there is anything behind this page. */
  readonly more: boolean;
}
