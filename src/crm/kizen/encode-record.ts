import { RemoteError } from '../../domain/errors.ts';
import type { Json } from '../../domain/json.ts';
import type { FieldKind } from '../../domain/schema.ts';
import type { Catalog, KizenField, KnownObject, Option } from './catalog.ts';
import { LIST_TYPES } from './decode-value.ts';
import { isList } from './envelope.ts';
import { isMany, isStage, isWrittenByKizen, kindOf } from './fields.ts';
import type { Entry, Forms } from './write-forms.ts';

export type Fields = Readonly<Record<string, Json>>;

/** Of a field of tags: the ids that labels have; those without one are made by their label. */
export type TagIds = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** What is written to, for refusals. */
interface Target {
  readonly object: KnownObject;
  /** What is sent. */
  readonly endpoint: string;
}

/** What encoding needs of the workspace. */
export interface Encoding extends Target {
  readonly catalog: Catalog;
  readonly forms: Forms;
  readonly tags: TagIds;
}

/**
 * Field values as the entries of a write. A stage is left out: it has a call of its own. To-many links are
 * left out, for they are written as links.
 *
 * @throws RemoteError that parks the change where a field cannot be written, or not so.
 */
export function encodeFields(encoding: Encoding, fields: Fields): readonly Entry[] {
  const { object, catalog } = encoding;
  return Object.entries(fields).flatMap(([name, value]): Entry[] => {
    const field = object.byName.get(name);
    if (field === undefined) throw refused(encoding, name, 'is not a field the key can see');
    if (isStage(object, field)) return [];
    const kind = kindOf(object, field, catalog);
    if (kind === 'references') return [];
    if (isWrittenByKizen(object, field, kind)) throw refused(encoding, name, 'is read-only');
    const { id } = field;
    if (isBlank(value)) {
      return [{ name, sends: 'clear', id, value: encoding.forms.blankOf(field) }];
    }
    const sends = sendsOf(field, kind);
    return [{ name, sends, id, value: encodeValue(encoding, field, value) }];
  });
}

/** The stage that a change asks for; null where it asks for none. */
export function stageOf(target: Target, fields: Fields): string | null {
  const { object } = target;
  for (const [name, value] of Object.entries(fields)) {
    const field = object.byName.get(name);
    if (field === undefined || !isStage(object, field)) continue;
    if (isBlank(value)) throw refused(target, name, 'cannot be empty');
    return optionOf(target, field.name, { options: object.stages, label: value }).id;
  }
  return null;
}

/** What a field says when nothing is in it; unchecked is a value. */
export function isBlank(value: Json): boolean {
  if (value === null) return true;
  return typeof value === 'string' ? value.trim() === '' : isList(value) && value.length === 0;
}

function encodeValue(encoding: Encoding, field: KizenField, value: Json): Json {
  const { forms } = encoding;
  if (LIST_TYPES.has(field.type)) return encodeList(encoding, field, value);
  switch (field.type) {
    case 'dropdown':
    case 'radio':
    case 'status':
    case 'selector':
    case 'yesnomaybe': {
      const { id } = optionOf(encoding, field.name, { options: field.options, label: value });
      return { id };
    }
    case 'relationship':
      return isMany(field) ? value : forms.reference(value);
    default:
      return value;
  }
}

function encodeList(encoding: Encoding, field: KizenField, value: Json): Json {
  const labels: readonly Json[] = Array.isArray(value) ? value : [value];
  if (field.type === 'dynamictags') {
    const ids = encoding.tags.get(field.id);
    return labels.map((label) => {
      const id = typeof label === 'string' ? ids?.get(label) : undefined;
      return id === undefined ? { name: label } : { id };
    });
  }
  const { options, name } = field;
  const chosen = labels.map((label) => {
    const { id } = optionOf(encoding, name, { options, label });
    return { id };
  });
  return field.type === 'choices' ? encoding.forms.choice(field, chosen) : chosen;
}

function sendsOf({ type }: KizenField, kind: FieldKind): Entry['sends'] {
  if (kind === 'reference') return 'relation';
  return type === 'choices' ? 'choice' : 'value';
}

/** By its label, which has to be one option's alone; or by its id or code. */
function optionOf(
  target: Target,
  field: string,
  { options, label }: { readonly options: readonly Option[]; readonly label: Json },
): Option {
  const found = options.filter((option) => option.label === label);
  const [only, ...others] = found;
  if (only !== undefined && others.length === 0) return only;
  if (only !== undefined) {
    throw refused(
      target,
      field,
      'has several options of that label, and it is open which is meant',
    );
  }
  const named = options.find(({ id, code }) => id === label || (code !== null && code === label));
  if (named !== undefined) return named;
  throw refused(target, field, 'has no option of that label', UNKNOWN_LABEL);
}

const UNKNOWN_LABEL = 'Add the option in Kizen, or write one that there is.';

/** Whether it may be an option that has been added since the fields were read. */
export function isUnknownLabel(error: unknown): boolean {
  return error instanceof RemoteError && error.status === null && error.hint === UNKNOWN_LABEL;
}

function refused(
  { endpoint, object }: Target,
  field: string,
  why: string,
  hint = 'Correct the row: that sends it again.',
): RemoteError {
  return new RemoteError(`${endpoint}: ${object.name}.${field} ${why}`, {
    code: 'remote-invalid',
    disposition: 'park',
    status: null,
    culprit: 0,
    field,
    hint,
  });
}
