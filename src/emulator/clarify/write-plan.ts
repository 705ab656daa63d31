import type { Json } from '../../domain/json.ts';
import { type Fields, fieldOf } from '../kernel/fields.ts';
import { refuse } from './api-error.ts';
import { commitCreate, commitUpdate } from './commit.ts';
import { type ObjectState, uniqueKeys } from './object-state.ts';
import { recordFields, type StoredRecord } from './stored-record.ts';
import { storedRecord, type Workspace } from './workspace.ts';

interface Draft {
  readonly id: string;
  readonly before: StoredRecord | null;
  fields: Fields;
}

/**
 * What a call is going to write. Nothing is applied before every record was found good, which is
 * what makes bulk calls atomic; later records of a call see what earlier ones are going to do.
 */
export interface WritePlan {
  /** @returns the new record's id. @throws ApiError 400 for a taken unique value */
  create(fields: Fields): string;
  /** `change` gets the fields as they stand. @throws ApiError 404, 400 */
  update(id: string, change: (fields: Fields) => Fields): void;
  /** Ids of records that have the value, or one of its items, in the unique field. */
  owners(field: string, value: Json): Set<string>;
  /** @returns the new versions, one for each id. */
  commit(actor: string): Map<string, StoredRecord>;
}

export function planWrites(workspace: Workspace, state: ObjectState): WritePlan {
  const drafts = new Map<string, Draft>();
  /** `field value` → the id that will own it, null where it was given up. */
  const claims = new Map<string, string | null>();
  const unique = state.definition.fields.filter((field) => field.unique === true);

  const ownerOf = (field: string, key: string): string | null => {
    const claimed = claims.get(`${field} ${key}`);
    return claimed === undefined ? (state.unique.get(field)?.get(key) ?? null) : claimed;
  };
  const stage = (draft: Draft, fields: Fields): void => {
    for (const { name } of unique) {
      const wanted = uniqueKeys(fieldOf(fields, name));
      for (const key of wanted) {
        const owner = ownerOf(name, key);
        if (owner === null || owner === draft.id) continue;
        throw refuse(400, `A ${state.definition.object} with this ${name} already exists`);
      }
      for (const key of uniqueKeys(fieldOf(draft.fields, name))) claims.set(`${name} ${key}`, null);
      for (const key of wanted) claims.set(`${name} ${key}`, draft.id);
    }
    draft.fields = fields;
    drafts.set(draft.id, draft);
  };

  return {
    create(fields) {
      const id = workspace.newId(workspace.random, state.definition.object);
      stage({ id, before: null, fields: {} }, fields);
      return id;
    },
    update(id, change) {
      const known = drafts.get(id);
      if (known !== undefined) {
        stage(known, change(known.fields));
        return;
      }
      const before = storedRecord(state, id);
      const fields = recordFields(before);
      stage({ id, before, fields }, change(fields));
    },
    owners(field, value) {
      const found = uniqueKeys(value).map((key) => ownerOf(field, key));
      return new Set(found.filter((id) => id !== null));
    },
    commit(actor) {
      const written = new Map<string, StoredRecord>();
      for (const { id, before, fields } of drafts.values()) {
        const after =
          before === null
            ? commitCreate(workspace, state, id, fields, { actor })
            : commitUpdate(workspace, state, before, fields, { actor });
        written.set(id, after);
      }
      return written;
    },
  };
}
