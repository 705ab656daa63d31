import * as z from 'zod';
import type { Json } from '../../domain/json.ts';
import type { Random } from './random.ts';

const match = {
  /** Such as `PATCH`; every method where missing. */
  method: z.string().optional(),
  /** A regular expression the path with its query must match; every path where missing. */
  path: z.string().refine(isPattern, 'is no regular expression').optional(),
  /** A regular expression the request's body must match. */
  requestBody: z.string().refine(isPattern, 'is no regular expression').optional(),
  /** Matching requests let through before the first is hit. */
  after: z.number().int().min(0).optional(),
  /** How many requests to hit; without end where missing. */
  count: z.number().int().min(1).optional(),
  /** The share of matching requests to hit; 1 where missing. */
  probability: z.number().min(0).max(1).optional(),
};

const json: z.ZodType<Json> = z.json();

/**
 * What goes wrong. `applied` tells whether the request was carried out before it did; by
 * default `status`, `html`, `empty`, `answer` and `reset-before-write` do not carry it out, and
 * `partial` a part of it.
 */
export const faultSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    ...match,
    kind: z.literal('status'),
    status: z.number().int().min(400).max(599),
    /** Seconds; `date` sends the same as an HTTP date. */
    retryAfter: z.number().min(0).optional(),
    retryAfterForm: z.enum(['seconds', 'date']).optional(),
    /** `gateway`: `{statusCode, message, error}` rather than `{errors: […]}`. */
    form: z.enum(['errors', 'gateway']).optional(),
    applied: z.boolean().optional(),
  }),
  z.strictObject({
    ...match,
    kind: z.enum(['html', 'empty']),
    status: z.number().int().min(200).max(599).optional(),
    applied: z.boolean().optional(),
  }),
  /** Word for word: a body that is a text goes as it is, any other as JSON. */
  z.strictObject({
    ...match,
    kind: z.literal('answer'),
    status: z.number().int().min(200).max(599),
    body: json.optional(),
    contentType: z.string().optional(),
    headers: z.record(z.string(), z.string()).optional(),
    applied: z.boolean().optional(),
  }),
  /** The first records of a call alone are written and answered, or just answered. */
  z.strictObject({
    ...match,
    kind: z.literal('partial'),
    status: z.number().int().min(200).max(299).optional(),
    /** How many; half of them, rounded down, where missing. */
    keep: z.number().int().min(0).optional(),
    /** Adds `errors` with one for each record left out. */
    errors: z.boolean().optional(),
    applied: z.boolean().optional(),
  }),
  /** One attribute of every record in the answer has this value, or none. */
  z.strictObject({
    ...match,
    kind: z.literal('attribute'),
    attribute: z.string(),
    value: json.optional(),
    /** Only in these records. */
    ids: z.array(z.string()).optional(),
  }),
  z.strictObject({
    ...match,
    kind: z.enum(['reset-before-write', 'reset-after-write', 'truncated', 'malformed']),
  }),
  /** Never answers. */
  z.strictObject({ ...match, kind: z.literal('timeout'), applied: z.boolean().optional() }),
  /** Answers late; carried out at once, or with `applied: false` at the end of the wait. */
  z.strictObject({
    ...match,
    kind: z.literal('slow'),
    ms: z.number().min(0),
    applied: z.boolean().optional(),
  }),
]);

export type Fault = z.infer<typeof faultSchema>;

export interface ActiveFault {
  readonly id: number;
  readonly fault: Fault;
  readonly hits: number;
}

/** What of a request decides whether a fault hits it. */
export interface FaultTarget {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly body: string;
}

export interface Faults {
  /** @returns an id for `clear`. @throws ZodError for a fault that makes no sense */
  add(fault: Fault): number;
  /** Without an id: all of them. */
  clear(id?: number): void;
  list(): ActiveFault[];
  /** The first fault that hits this request, if any. */
  hit(request: FaultTarget): Fault | null;
}

export function createFaults(random: Random): Faults {
  const active: {
    id: number;
    fault: Fault;
    path: RegExp;
    body: RegExp;
    seen: number;
    hits: number;
  }[] = [];
  let nextId = 1;
  const clear = (id?: number): void => {
    const kept = id === undefined ? [] : active.filter((each) => each.id !== id);
    active.splice(0, active.length, ...kept);
  };
  return {
    add(given) {
      const fault = faultSchema.parse(given);
      const id = nextId;
      nextId += 1;
      const [path, body] = [new RegExp(fault.path ?? ''), new RegExp(fault.requestBody ?? '')];
      active.push({ id, fault, path, body, seen: 0, hits: 0 });
      return id;
    },
    clear,
    list: () => active.map(({ id, fault, hits }) => ({ id, fault, hits })),
    hit({ method, path, body }) {
      for (const each of active) {
        const { fault } = each;
        if (fault.method !== undefined && fault.method.toUpperCase() !== method) continue;
        if (!each.path.test(path) || !each.body.test(body)) continue;
        each.seen += 1;
        if (each.seen <= (fault.after ?? 0) || each.hits >= (fault.count ?? Infinity)) continue;
        if (fault.probability !== undefined && random.next() >= fault.probability) continue;
        each.hits += 1;
        return fault;
      }
      return null;
    },
  };
}

function isPattern(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
}
