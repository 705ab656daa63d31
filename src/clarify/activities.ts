import { z } from 'zod';
import { RemoteError } from '../domain/errors.ts';
import type { FieldWrite } from '../domain/field-write.ts';
import type { Json } from '../domain/json.ts';
import type { Remote } from '../domain/remote.ts';
import type { FieldKind, ObjectSchema } from '../domain/schema.ts';
import type { Send } from './call.ts';
import type { Clock } from './clock.ts';
import { readActor } from './decode-record.ts';
import { isObject, readList } from './envelope.ts';
import { toInstant } from './instants.ts';

/** What a change is about is mostly among the newest. */
const ACTIVITIES = 100;
/** A feed that failed is not asked again for so long. */
const AVOIDED_MS = 600_000;
const MOST_AVOIDED = 1_000;
/** After so many failures in a row none of the object's feeds is. */
const MOST_FAILURES = 3;

/**
 * Who changed which field of a record when, from its activity feed. Some feeds fail for good, so
 * one is asked once and then let alone for a while; whoever asks has to do without.
 */
export function createActivities({
  send,
  clock,
}: {
  readonly send: Send;
  readonly clock: Clock;
}): Pick<Remote, 'readFieldWrites'> {
  /** Feeds that failed, by object or by object and record, and until when they are let alone. */
  const avoided = new Map<string, number>();
  const failures = new Map<string, number>();

  function isAvoided(name: string): boolean {
    return (avoided.get(name) ?? Number.NEGATIVE_INFINITY) > clock.nowMs();
  }

  function avoid(name: string): void {
    avoided.delete(name);
    avoided.set(name, clock.nowMs() + AVOIDED_MS);
    const [oldest] = avoided.keys();
    if (avoided.size > MOST_AVOIDED && oldest !== undefined) avoided.delete(oldest);
  }

  function failed(object: string, record: string, { status }: RemoteError): void {
    if (status === 429) return;
    avoid(record);
    const inARow = (failures.get(object) ?? 0) + 1;
    failures.set(object, inARow % MOST_FAILURES);
    if (inARow >= MOST_FAILURES) avoid(object);
  }

  return {
    async readFieldWrites({ object, id }, options) {
      const record = `${object.object} ${id}`;
      if (isAvoided(object.object) || isAvoided(record)) return null;
      try {
        const writes = await send(
          {
            endpoint: `GET /objects/${object.object}/records/{id}/activities`,
            method: 'GET',
            path: ['objects', object.object, 'records', id, 'activities'],
            query: [['page[limit]', String(ACTIVITIES)]],
            repeatable: true,
            attempts: 1,
            read: (body) => readList(body).items.flatMap((item) => readActivity(object, item)),
          },
          options,
        );
        failures.delete(object.object);
        return writes.toSorted((a, b) => b.atMs - a.atMs);
      } catch (error) {
        if (!(error instanceof RemoteError)) throw error;
        if (!options.signal.aborted) failed(object.object, record, error);
        return null;
      }
    },
  };
}

const activity = z.object({ attributes: z.object({ data: z.array(z.unknown()) }) });
const event = z.object({
  type: z.unknown(),
  actor: z.unknown(),
  _created_at: z.unknown(),
  object: z.object({ diff: z.array(z.unknown()) }),
});
const difference = z.object({
  path: z.string(),
  val: z.custom<Json>((value) => value !== undefined).optional(),
  oldVal: z.custom<Json>((value) => value !== undefined).optional(),
});

/** What does not look as it should tells nothing, and is left out. */
function readActivity(object: ObjectSchema, item: unknown): FieldWrite[] {
  const kinds = new Map(object.fields.map(({ name, kind }) => [name, kind]));
  const events = activity.safeParse(item).data?.attributes.data ?? [];
  return events.flatMap((one) => {
    const read = event.safeParse(one).data;
    const at = read === undefined ? null : toInstant(read._created_at);
    if (read === undefined || at === null) return [];
    const by = readActor(read.actor);
    return read.object.diff.flatMap((changed): FieldWrite[] => {
      const diff = difference.safeParse(changed).data;
      const [field = '', ...within] = diff === undefined ? [] : readPath(diff.path);
      const kind = kinds.get(field);
      if (diff === undefined || kind === undefined) return [];
      const [value, was] = [diff.val ?? null, diff.oldVal ?? null].map((told) =>
        within.length === 0 ? plainValue(kind, told) : told,
      );
      const isBirth = read.type === 'clarify:create';
      return [
        {
          field,
          within,
          value: value ?? null,
          was: was ?? null,
          isBirth,
          atMs: Date.parse(at),
          by,
        },
      ];
    });
  });
}

/** `/name/first_name`, with JSON Pointer's escapes. */
function readPath(path: string): string[] {
  return path
    .replace(/^\//, '')
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** As the decoder would have it, but nothing is learned from what a feed shows. */
function plainValue(kind: FieldKind, value: Json): Json {
  if (kind === 'timestamp') return toInstant(value) ?? value;
  if (kind !== 'texts' || !isObject(value) || !('items' in value)) return value;
  return Object.entries(value).find(([name]) => name === 'items')?.[1] ?? null;
}
