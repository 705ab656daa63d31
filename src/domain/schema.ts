import type { NormalForm } from './normal-form.ts';

/**
 * How a field's value looks on our side of the wire:
 *
 * - `text` string · `number` number or ExactNumber · `boolean` · `date` `YYYY-MM-DD` ·
 *   `timestamp` ISO-8601
 * - `texts` an array of strings (collections of scalars, multi-selects)
 * - `reference` the id of one record of `relationship.object`
 * - `references` to-many links: never a column, always a link table
 * - `json` any other value
 */
export type FieldKind =
  | 'text'
  | 'number'
  | 'boolean'
  | 'date'
  | 'timestamp'
  | 'texts'
  | 'reference'
  | 'references'
  | 'json';

export type RelationshipKind = 'many-to-one' | 'one-to-many' | 'many-to-many' | 'one-to-one';

export interface Relationship {
  readonly kind: RelationshipKind;
  /** The object at the other end. */
  readonly object: string;
  /** The field at the other end, where the schema names it. */
  readonly field: string | null;
}

/** A scalar inside a value object, such as `full_name` inside `name`. */
export interface FieldPart {
  readonly name: string;
  readonly kind: 'text' | 'number' | 'boolean';
}

export interface Field {
  /** Exactly as the CRM names it. */
  readonly name: string;
  readonly kind: FieldKind;
  readonly label: string | null;
  /** The CRM refuses two records with the same value. */
  readonly unique: boolean;
  /** E-mail addresses and domains are the same whatever their case. */
  readonly caseInsensitive: boolean;
  /** Texts that say the same in several ways, of which the CRM keeps one. */
  readonly normal?: NormalForm | undefined;
  /** Of a number: how many digits after the point the CRM keeps, where it promises that. */
  readonly scale?: number | undefined;
  /** Of a number: how many digits before the point the CRM takes, where it says so. */
  readonly wholeDigits?: number | undefined;
  /** Of a number without fraction: how many bits hold whatever the CRM does. */
  readonly integerBits?: 16 | 32 | undefined;
  /** Scalar parts of a value object; empty for everything else. */
  readonly parts: readonly FieldPart[];
  readonly relationship: Relationship | null;
  /** Of a reference to records of several objects, which is a text: the field that says of which. */
  readonly objectIn?: string | undefined;
  /** No create says it: it is set by an edit of the record that there is then. */
  readonly setAfterwards?: boolean | undefined;
  /** The CRM alone writes it. */
  readonly readOnly?: boolean | undefined;
}

export interface ObjectSchema {
  /** The object's slug, such as `person` or `c_project`. */
  readonly object: string;
  readonly label: { readonly singular: string; readonly plural: string };
  /** Without system fields: those are columns of every mirror table. */
  readonly fields: readonly Field[];
  /** The field by which two records are known to be one (`email_addresses`); null where none. */
  readonly identity: string | null;
  /** Why nobody may write to it; null where writing is fine. */
  readonly readOnly: string | null;
}
