import { isExactNumber, type Json } from '../../domain/json.ts';
import type { Switches } from './switches.ts';

export interface FieldOption {
  readonly id: string;
  readonly code: string;
  name: string;
}

export type Cardinality = 'one_to_one' | 'many_to_one' | 'one_to_many' | 'many_to_many';

/** The other end: which object, and which field of it holds the mirror. */
export interface Relation {
  readonly object: string;
  readonly field: string;
  readonly cardinality: Cardinality;
}

/** What the key may do with it. */
export interface Access {
  view: boolean;
  edit: boolean;
}

/** A field of an object; what people can change in the app is no constant. */
export interface Field {
  readonly id: string;
  name: string;
  displayName: string;
  /** One of the types of the API, or one that nobody knows. */
  type: string;
  required: boolean;
  readonly readOnly: boolean;
  readonly hidden: boolean;
  readonly isDefault: boolean;
  readonly allowsNulls: boolean;
  readonly allowsEmpty: boolean;
  deleted: boolean;
  /** In their order; of dynamic tags they are told elsewhere. */
  readonly options: FieldOption[];
  relation: Relation | null;
  /** Of money. */
  readonly currency: string | null;
  /** Of a long text that is edited as a rich one. */
  readonly markdown: boolean;
  readonly access: Access;
}

/** What the values of a type are, as they are kept. */
export type Kind =
  | 'text'
  | 'integer'
  | 'decimal'
  | 'rating'
  | 'boolean'
  | 'date'
  | 'datetime'
  /** Its id. */
  | 'option'
  /** Their ids, in order. */
  | 'options'
  /** Ids, also where there can be but one. */
  | 'relation'
  | 'employee'
  | 'files'
  | 'zone'
  | 'unknown';

const KINDS: Readonly<Record<string, Kind>> = {
  text: 'text',
  longtext: 'text',
  email: 'text',
  phonenumber: 'text',
  integer: 'integer',
  decimal: 'decimal',
  money: 'decimal',
  date: 'date',
  datetime: 'datetime',
  checkbox: 'boolean',
  checkboxes: 'options',
  dropdown: 'option',
  radio: 'option',
  status: 'option',
  selector: 'option',
  rating: 'rating',
  yesnomaybe: 'option',
  dynamictags: 'options',
  relationship: 'relation',
  team_selector: 'employee',
  timezone: 'zone',
  files: 'files',
};

export function kindOf({ type }: Field, { choices }: Pick<Switches, 'choices'>): Kind {
  if (type === 'choices') return choices === 'one' ? 'option' : 'options';
  return Object.hasOwn(KINDS, type) ? (KINDS[type] ?? 'unknown') : 'unknown';
}

/** The stage of a pipeline, which only a move changes. */
export function isStage({ name, isDefault }: Field): boolean {
  return isDefault && name === 'stage';
}

export function isToOne({ cardinality }: Relation): boolean {
  return cardinality.endsWith('_to_one');
}

/** Ids that a value holds. */
export function idsIn(value: Json | undefined): readonly string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.map(String) : [];
}

/** A value as text: a text as it is, anything else as JSON. */
export function plainText(value: Json): string {
  if (typeof value === 'string') return value;
  return isExactNumber(value) ? value.value : JSON.stringify(value);
}
