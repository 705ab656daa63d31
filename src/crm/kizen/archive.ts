import { RemoteError } from '../../domain/errors.ts';
import type { RemoteRecord } from '../../domain/record.ts';
import type { CallOptions, Remote } from '../../domain/remote.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import type { Send } from '../wire/call.ts';
import type { Clock } from '../wire/clock.ts';
import { gone, isNotFound } from '../wire/refusals.ts';
import { deleteOne } from '../wire/single-writes.ts';
import type { Catalog } from './catalog.ts';
import { contested } from './contested.ts';

export interface ArchiveDeps {
  readonly send: Send;
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly readRecord: Remote['readRecord'];
}

/** It is done within about 2 s; then what is still there was passed over. */
const DONE_MS = 2_000;
const LOOKS = 3;

/** Deletions archive, and what is archived can be brought back. */
export function createArchive(deps: ArchiveDeps): Pick<Required<Remote>, 'delete' | 'restore'> {
  const { send, catalog, clock, readRecord } = deps;

  async function archive(object: ObjectSchema, id: string, options: CallOptions): Promise<void> {
    await deleteOne(
      send,
      { endpoint: `DELETE /records/${object.object}/{id}`, path: ['records', object.object, id] },
      options,
    );
  }

  /** The answer says only that it is going to be done. */
  async function archiveAll(
    schema: ObjectSchema,
    ids: readonly string[],
    options: CallOptions,
  ): Promise<readonly string[]> {
    const object = catalog.object(schema.object);
    if (object === undefined) throw gone(schema);
    await send(
      {
        endpoint: `POST /custom-objects/${schema.object}/bulk-archive-entity-record`,
        method: 'POST',
        path: ['custom-objects', object.id, 'bulk-archive-entity-record'],
        repeatable: true,
        // Otherwise the user gets a mail for each request.
        body: JSON.stringify({ record_ids: ids, send_email_notification: false }),
        records: ids.length,
        doubts: [403],
        read: () => undefined,
      },
      options,
    );
    const { priority, signal } = options;
    let left = ids;
    for (let look = 0; look < LOOKS && left.length > 0; look += 1) {
      await clock.sleep(DONE_MS, signal);
      const records = await Promise.all(
        left.map((id) => readRecord({ object: schema, id }, { priority, signal })),
      );
      left = left.filter((_, index) => records[index] !== null);
    }
    return left;
  }

  async function unarchive(
    object: ObjectSchema,
    id: string,
    options: CallOptions,
  ): Promise<RemoteRecord | null> {
    const { priority, signal } = options;
    const look = () => readRecord({ object, id }, { priority, signal });
    try {
      await send(
        {
          endpoint: `PATCH /records/${object.object}/{id}/unarchive`,
          method: 'PATCH',
          path: ['records', object.object, id, 'unarchive'],
          repeatable: true,
          records: 1,
          doubts: [403],
          read: () => undefined,
        },
        options,
      );
    } catch (error) {
      const isRefused = error instanceof RemoteError && error.disposition === 'park';
      const record = isRefused ? await look() : null;
      if (record === null) throw error;
      // Live already.
      return record;
    }
    return await look();
  }

  return {
    async delete({ object, ids }, options) {
      const [only, ...others] = ids;
      if (only === undefined) return [];
      if (others.length > 0) return await archiveAll(object, ids, options);
      await contested(object, only, { readRecord, options }, () =>
        archive(object, only, options),
      ).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
      return [];
    },
    async restore({ object, ids }, options) {
      const restored: RemoteRecord[] = [];
      for (const id of ids) {
        const record = await contested(object, null, { readRecord, options }, () =>
          unarchive(object, id, options),
        );
        if (record !== null) restored.push(record);
      }
      return restored;
    },
  };
}
