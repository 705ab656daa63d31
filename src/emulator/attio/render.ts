import type { Json } from '../../domain/json.ts';
import type { Fields } from '../kernel/fields.ts';
import { shuffled } from '../kernel/random.ts';
import { type Attribute, type StoredValue } from './attribute.ts';
import { findAttribute, type ObjectState, type StoredRecord, type Workspace } from './workspace.ts';

/** A record as it is read: every attribute, each a list. */
export function renderRecord(
  workspace: Workspace,
  state: ObjectState,
  record: StoredRecord,
): Fields {
  const shown = state.attributes.filter(
    ({ archived }) => !archived || workspace.switches.archivedValues === 'present',
  );
  return {
    id: { workspace_id: workspace.id, object_id: state.id, record_id: record.id },
    created_at: record.createdAt,
    web_url: `https://app.attio.com/${workspace.slug}/${state.slug}/${record.id}`,
    values: Object.fromEntries(
      shown.map((attribute) => [
        attribute.slug,
        shownValues(workspace, attribute, record).map((value) =>
          renderValue(workspace, state, attribute, value),
        ),
      ]),
    ),
  };
}

function shownValues(
  { switches, random }: Workspace,
  { id, type }: Attribute,
  { values }: StoredRecord,
): readonly StoredValue[] {
  const held = values.get(id) ?? [];
  return type === 'record-reference' && switches.referenceOrder === 'shuffled'
    ? shuffled(random, held)
    : held;
}

export function renderValue(
  workspace: Workspace,
  state: ObjectState,
  attribute: Attribute,
  value: StoredValue,
): Fields {
  const { data, from, until, actor } = value;
  return {
    active_from: from,
    active_until: until,
    created_by_actor: { type: actor.type, id: actor.id },
    ...shownData(workspace, state, attribute, data),
    attribute_type: attribute.type,
  };
}

function shownData(
  workspace: Workspace,
  state: ObjectState,
  attribute: Attribute,
  data: Fields,
): Fields {
  const { type } = attribute;
  if (type === 'select' || type === 'status') {
    const member = type === 'select' ? 'option' : 'status';
    return { [member]: renderOption(workspace, state, attribute, data[member] ?? null) };
  }
  if (type !== 'record-reference') return data;
  const target = workspace.objects.find(({ id }) => id === data['target_object']);
  return { ...data, target_object: target?.slug ?? null };
}

/** An option or a status, as a record shows it and as it is listed. */
export function renderOption(
  workspace: Workspace,
  state: ObjectState,
  attribute: Attribute,
  id: Json,
): Json {
  const found = attribute.options.find((each) => each.id === id);
  if (found === undefined) return null;
  const place = attributeId(workspace, state, attribute);
  return attribute.type === 'select'
    ? { id: { ...place, option_id: found.id }, title: found.title, is_archived: found.archived }
    : {
        id: { ...place, status_id: found.id },
        title: found.title,
        is_archived: found.archived,
        target_time_in_status: null,
        celebration_enabled: found.title.startsWith('Won'),
      };
}

function attributeId(workspace: Workspace, state: ObjectState, { id }: Attribute) {
  return { workspace_id: workspace.id, object_id: state.id, attribute_id: id };
}

export function renderObject(workspace: Workspace, state: ObjectState): Fields {
  return {
    id: { workspace_id: workspace.id, object_id: state.id },
    api_slug: state.slug,
    singular_noun: state.singular,
    plural_noun: state.plural,
    created_at: state.createdAt,
  };
}

export function renderAttribute(
  workspace: Workspace,
  state: ObjectState,
  attribute: Attribute,
): Fields {
  return {
    id: attributeId(workspace, state, attribute),
    title: attribute.title,
    description: attribute.description,
    api_slug: attribute.slug,
    type: attribute.type,
    is_system_attribute: attribute.system,
    is_writable: attribute.writable,
    is_required: attribute.required,
    is_unique: attribute.unique,
    is_multiselect: attribute.multi,
    is_default_value_enabled: false,
    is_archived: attribute.archived,
    default_value: null,
    relationship: renderRelationship(workspace, attribute),
    created_at: attribute.createdAt,
    // Both parts are always there, filled with null for other types.
    config: {
      currency: {
        default_currency_code: attribute.currency,
        display_type: attribute.type === 'currency' ? 'symbol' : null,
      },
      record_reference: {
        allowed_object_ids: attribute.type === 'record-reference' ? attribute.allowed : null,
      },
    },
  };
}

function renderRelationship(
  { id: workspaceId, objects, switches }: Workspace,
  { pair }: Attribute,
): Json {
  const state = objects.find(({ id }) => id === pair?.object);
  const other = state === undefined || pair === null ? null : findAttribute(state, pair.attribute);
  if (pair === null || state === undefined || other === null) return null;
  const id = {
    workspace_id: workspaceId,
    object_id: pair.object,
    attribute_id: pair.attribute,
  };
  return switches.relationshipForm === 'id'
    ? { id }
    : {
        id,
        object_slug: state.slug,
        api_slug: other.slug,
        title: other.title,
        is_multiselect: other.multi,
      };
}
