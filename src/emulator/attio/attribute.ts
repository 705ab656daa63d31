import type { Fields } from '../kernel/fields.ts';
import type { Instant } from './instants.ts';

export type AttributeType =
  | 'text'
  | 'number'
  | 'checkbox'
  | 'rating'
  | 'date'
  | 'timestamp'
  | 'currency'
  | 'select'
  | 'status'
  | 'email-address'
  | 'domain'
  | 'phone-number'
  | 'personal-name'
  | 'location'
  | 'record-reference'
  | 'actor-reference'
  | 'interaction';

export interface AttributeOption {
  readonly id: string;
  title: string;
  archived: boolean;
}

/** An attribute of an object; what people can change in the app is no constant. */
export interface Attribute {
  readonly id: string;
  slug: string;
  title: string;
  readonly description: string | null;
  readonly type: AttributeType;
  readonly system: boolean;
  readonly writable: boolean;
  required: boolean;
  readonly unique: boolean;
  multi: boolean;
  archived: boolean;
  readonly createdAt: Instant;
  /** Of a select or a status. */
  readonly options: AttributeOption[];
  /** Of a currency. */
  readonly currency: string | null;
  /** Ids of the objects a reference may name; null for any. */
  readonly allowed: readonly string[] | null;
  /** The attribute at the other end of a relationship, on the object of that id. */
  pair: { readonly object: string; readonly attribute: string } | null;
}

export interface Actor {
  readonly type: 'api-token' | 'workspace-member' | 'system' | 'app';
  /** Null for the system. */
  readonly id: string | null;
}

export const SYSTEM: Actor = { type: 'system', id: null };

/** A value of an attribute, in the form in which it is read; an option by its id alone. */
export interface StoredValue {
  readonly data: Fields;
  readonly from: Instant;
  readonly until: Instant | null;
  readonly actor: Actor;
}

/** A member of a value's data that is a text. */
export function textOf(data: Fields | undefined, name: string): string {
  const value = data?.[name];
  return typeof value === 'string' ? value : '';
}

/** What tells two values of one attribute apart. */
export function valueKey(type: AttributeType, data: Fields): string {
  switch (type) {
    case 'email-address':
      return textOf(data, 'email_address');
    case 'domain':
      return textOf(data, 'domain');
    case 'phone-number':
      return textOf(data, 'phone_number');
    case 'record-reference':
      return textOf(data, 'target_record_id');
    default:
      return JSON.stringify(data);
  }
}
