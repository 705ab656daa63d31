import * as z from 'zod';
import type { Json } from '../../domain/json.ts';
import type { Fields } from '../kernel/fields.ts';
import { refuse } from './api-error.ts';
import type { Attribute } from './attribute.ts';
import type { Changes } from './commit.ts';
import { readShape } from './query-route.ts';
import { readValues } from './read-value.ts';
import { attributeOf, type ObjectState, type StoredRecord, type Workspace } from './workspace.ts';

const json: z.ZodType<Json> = z.json();
const bodySchema = z.looseObject({
  data: z.looseObject({ values: z.record(z.string(), json) }),
});

/**
 * What a body `{data: {values}}` asks for.
 *
 * @throws ApiError 400 `validation_type`, `value_not_found`, `immutable_value`
 */
export function readChanges(
  workspace: Workspace,
  state: ObjectState,
  body: unknown,
): Map<Attribute, Fields[]> {
  const { data } = readShape(bodySchema, body ?? {});
  const changes = new Map<Attribute, Fields[]>();
  for (const [name, given] of Object.entries(data.values)) {
    const attribute = attributeOf(state, name);
    if (!attribute.writable) {
      const message = `Cannot write to attribute with slug "${attribute.slug}".`;
      throw refuse(400, 'immutable_value', message);
    }
    changes.set(attribute, readValues(workspace, attribute, given));
  }
  return changes;
}

/** @throws ApiError 400 `missing_value`: of a new record all count, of another what is sent */
export function refuseMissing(
  state: ObjectState,
  record: StoredRecord | null,
  changes: Changes,
): void {
  for (const attribute of state.attributes) {
    if (!attribute.required || attribute.archived) continue;
    const sent = changes.get(attribute);
    if (sent === undefined ? record !== null : sent.length > 0) continue;
    const message = `Required value for attribute with slug "${attribute.slug}" was not provided.`;
    throw refuse(400, 'missing_value', message);
  }
}
