import * as z from 'zod';
import type { ItemCheck } from './envelope.ts';
import type { Deviation } from './exchange.ts';
import { idShape, isObject, shapeDeviations, timeShape } from './shape.ts';

const text = z.string().nullable();

const actor = z.strictObject({
  _id: idShape,
  anonymous_id: text.optional(),
  entity: text.optional(),
  source_id: text.optional(),
});

/** The path is a list of keys and indexes, into collections and value objects too. */
const difference = z.strictObject({
  op: z.enum(['add', 'update', 'delete']),
  path: z.array(z.union([z.string(), z.int().min(0)])).min(1),
  val: z.unknown().optional(),
  oldVal: z.unknown().optional(),
});

const subject = z.strictObject({
  _id: idShape,
  anonymous_id: text.optional(),
  entity: text.optional(),
  data: z.unknown().optional(),
  diff: z.array(difference).optional(),
});

const event = z.strictObject({
  _id: idShape,
  // Both spellings are seen.
  type: z
    .string()
    .regex(
      /^(?:clarify:[a-z]+(?:-[a-z]+)*|Clarify(?:[A-Z][a-z]+)+)$/,
      'expected clarify:… or Clarify…',
    ),
  _created_at: timeShape,
  actor,
  object: subject.optional(),
  // Of merges.
  origin: z.unknown().optional(),
  target: z.unknown().optional(),
  // Of links.
  relationship: z.unknown().optional(),
  ref: z.unknown().optional(),
  refs: z.unknown().optional(),
});

const shape = z.strictObject({
  type: z.literal('activity'),
  id: idShape,
  attributes: z.strictObject({
    _id: idShape,
    _created_at: timeShape,
    aggKey: text.optional(),
    data: z.array(event),
  }),
});

export const activity: ItemCheck = (item, at) => shapeDeviations(shape, item, at);

/** Newest first. */
export function newestFirst(body: unknown): Deviation[] {
  const items = isObject(body) && Array.isArray(body['data']) ? body['data'] : [];
  const times = items.map((item) => shape.safeParse(item).data?.attributes._created_at ?? '');
  const ordered = times.every((time, index) => index === 0 || time <= (times[index - 1] ?? time));
  return ordered ? [] : [{ at: 'answer.body.data', what: 'is not newest first' }];
}
