import { RemoteError } from '../../domain/errors.ts';
import type { CallOptions, Remote } from '../../domain/remote.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import type { Send } from '../wire/call.ts';
import { gone } from '../wire/refusals.ts';
import type { Catalog, KnownObject } from './catalog.ts';
import type { Decoder } from './decode-record.ts';
import { encodeFields, type Fields, isUnknownLabel, stageOf } from './encode-record.ts';
import { type LookUp } from './reads.ts';
import type { Tags } from './tags.ts';
import type { Entry, WriteForms } from './write-forms.ts';

export interface WriteDeps {
  readonly send: Send;
  readonly decoder: Decoder;
  readonly catalog: Catalog;
  readonly tags: Tags;
  readonly forms: WriteForms;
  readonly readRecord: Remote['readRecord'];
  readonly lookUp: LookUp;
  /** Whether the fields of an object are known anew; false where they were read just now. */
  readonly refresh: (used: KnownObject, options: CallOptions) => Promise<boolean>;
}

/** What of a change goes into the body, and the stage that it asks for; null where it asks for none. */
export interface Encoded {
  readonly entries: readonly Entry[];
  readonly stage: string | null;
}

/**
 * Sends a record's fields in forms that the server takes: `deliver` may be called several times, each
 * time after a refusal. A label that nobody has heard of may be of an option that was added just now.
 */
export async function inSomeForm<T>(
  { catalog, tags, forms, refresh }: WriteDeps,
  schema: ObjectSchema,
  {
    endpoint,
    fields,
    deliver,
  }: {
    readonly endpoint: string;
    readonly fields: Fields;
    readonly deliver: (encoded: Encoded) => Promise<T>;
  },
  options: CallOptions,
): Promise<T> {
  const object = (): KnownObject => {
    const known = catalog.object(schema.object);
    if (known === undefined) throw gone(schema);
    return known;
  };
  const once = async (known: KnownObject): Promise<T> => {
    const found = await tags.resolve(known, fields, reading(options));
    const encoding = { object: known, catalog, tags: found, endpoint };
    // Known before anything goes out: half of a change is worse than none.
    const stage = stageOf(encoding, fields);
    return await forms.attempt(
      (form) => encodeFields({ ...encoding, forms: form }, fields),
      (entries) => deliver({ entries, stage }),
    );
  };
  const used = object();
  try {
    return await once(used);
  } catch (error) {
    if (!(error instanceof RemoteError)) throw error;
    const field = error.field === undefined ? undefined : object().byName.get(error.field);
    if (field?.type === 'dynamictags' && error.status === 400) tags.forget(field);
    else if (!isUnknownLabel(error) || !(await refresh(used, reading(options)))) throw error;
    return await once(object());
  }
}

/** A read of what a write needs has its own time. */
export function reading({ priority, signal, claim }: CallOptions): CallOptions {
  return { priority, signal, claim };
}

/** Otherwise some answer with no more than what was written. */
export const EVERYTHING = [['return_all_fields', 'true']] as const;
