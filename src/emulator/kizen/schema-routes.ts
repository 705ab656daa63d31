import { type Json, stringifyJson } from '../../domain/json.ts';
import type { Answer } from '../kernel/answer.ts';
import type { Fields } from '../kernel/fields.ts';
import type { ApiRequest } from '../kernel/route.ts';
import { notFound } from './api-error.ts';
import {
  type Business,
  findField,
  type ObjectState,
  objectState,
  objectWithId,
} from './business.ts';
import { type Field, type FieldOption, isStage } from './field.ts';
import { pageOf } from './paging.ts';
import { moneyOf } from './render.ts';

/** `GET /business/mine` */
export function businessRoute({ id, name, zone }: Business): Answer {
  const timezone = { name: zone, display_name: zone };
  return told({ id, name, timezone });
}

/** `GET /custom-objects`: contacts as well with `custom_only=false`. */
export function listObjects(business: Business, request: ApiRequest): Answer {
  const withContacts = request.query.get('custom_only') === 'false';
  const shown = business.objects.filter(
    ({ isContacts, access }) => access.view && (withContacts || !isContacts),
  );
  const access = { view: true, edit: true };
  return pageOf(business, request, shown, renderObject, { access });
}

/** `GET /custom-objects/{object}` */
export function readObjectRoute(business: Business, request: ApiRequest): Answer {
  return told(renderObject(objectState(business, request.param('object'))));
}

function renderObject(state: ObjectState): Fields {
  const { id, name, plural, singular, type, isContacts, access } = state;
  return {
    id,
    name,
    object_name: plural,
    entity_name: singular,
    object_type: type,
    is_custom: !isContacts,
    access: { ...access },
  };
}

/** `GET /custom-objects/{object}/fields`: a bare array. */
export function listFields(business: Business, request: ApiRequest): Answer {
  const state = objectState(business, request.param('object'));
  const { deletedFields } = business.switches;
  const shown = state.fields.filter(({ deleted }) => !deleted || deletedFields === 'listed');
  return told(shown.map((field) => renderField(business, state, field)));
}

function renderField(business: Business, state: ObjectState, field: Field): Fields {
  const { type, options } = field;
  const shown = isStage(field)
    ? state.stages.map(({ id, name }) => ({ id, code: '', name }))
    : type === 'dynamictags'
      ? []
      : options;
  return {
    id: field.id,
    name: field.name,
    display_name: field.displayName,
    field_type: type,
    category: field.isDefault ? 'default' : 'custom',
    is_required: field.required,
    is_read_only: field.readOnly,
    is_hidden: field.hidden,
    is_default: field.isDefault,
    allows_nulls: field.allowsNulls,
    allows_empty: field.allowsEmpty,
    deleted: field.deleted,
    options: shown.map(renderOption),
    relation: renderRelation(business, field),
    money_options: type === 'money' ? moneyOf(field) : null,
    rating: type === 'rating' ? { max: options.length } : null,
    meta: field.markdown ? { is_markdown: true } : {},
    access: { ...field.access },
  };
}

function renderOption({ id, code, name }: FieldOption, order: number): Json {
  return { id, code, name, order, meta: {} };
}

function renderRelation({ objects }: Business, { relation }: Field): Json {
  if (relation === null) return null;
  const { object, field, cardinality } = relation;
  return {
    related_object: object,
    related_object_object_name: objects.find(({ id }) => id === object)?.name ?? null,
    related_field: field,
    relation_type: 'additional',
    cardinality,
  };
}

/** `GET /pipelines/{id}/stages` */
export function listStages(business: Business, request: ApiRequest): Answer {
  const { stages, type } = objectWithId(business, request.param('id'));
  if (type !== 'pipeline') throw notFound();
  return told(
    stages.map(({ id, name, status, percentage }, order) => ({
      id,
      name,
      status,
      percentage_chance_to_close: percentage,
      order,
    })),
  );
}

/** `GET /pipelines/{id}/fields/{field}/tags` */
export function listTags(business: Business, request: ApiRequest): Answer {
  const state = objectWithId(business, request.param('id'));
  if (state.isContacts) throw notFound();
  return tagsOf(business, state, request);
}

/** `GET /client/fields/{field}/tags` */
export function listContactTags(business: Business, request: ApiRequest): Answer {
  const state = business.objects.find(({ isContacts }) => isContacts);
  if (state === undefined) throw notFound();
  return tagsOf(business, state, request);
}

function tagsOf(business: Business, state: ObjectState, request: ApiRequest): Answer {
  const field = findField(state, request.param('field'));
  if (field === null || field.type !== 'dynamictags') throw notFound();
  const words = request.query.get('search')?.toLowerCase() ?? '';
  const shown = field.options.filter(({ name }) => name.toLowerCase().includes(words));
  return pageOf(business, request, shown, ({ id, name }) => ({ id, name }));
}

function told(body: unknown): Answer {
  return { status: 200, text: stringifyJson(body) };
}
