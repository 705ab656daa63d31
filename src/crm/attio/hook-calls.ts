import { createHmac, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';
import type { Hint } from '../../domain/hint.ts';
import type { HookCalls } from '../adapter.ts';

/** Both headers say the same; a proxy may drop either. */
const SIGNATURES = ['attio-signature', 'x-attio-signature'];

const id = z.string().min(1).max(100);
const event = z.looseObject({
  event_type: z.string(),
  id: z.looseObject({ object_id: id, record_id: id }),
});
const merged = z.looseObject({ duplicate_record_id: id });
/** One event a call today; each is looked at by itself. */
const calls = z.looseObject({ events: z.array(z.unknown()) });

export const hookCalls: HookCalls = {
  isSigned({ body, headers }, secret) {
    const wanted = createHmac('sha256', secret).update(body).digest();
    const given = SIGNATURES.flatMap((name) => headers[name] ?? []);
    return given.some((text) => isDigest(text, wanted));
  },

  read(body) {
    const parsed = calls.safeParse(jsonOf(body));
    return parsed.success ? parsed.data.events.flatMap(hintsOf) : null;
  },
};

function isDigest(text: string, wanted: Buffer): boolean {
  const given = Buffer.from(/^[0-9a-fA-F]{64}$/.test(text) ? text : '', 'hex');
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return null;
  }
}

/** Events of other kinds, and such as cannot be read, tell nothing. */
function hintsOf(item: unknown): Hint[] {
  const parsed = event.safeParse(item);
  if (!parsed.success) return [];
  const { event_type: type, id: names } = parsed.data;
  const record = { ref: names.object_id, id: names.record_id };
  switch (type) {
    case 'record.created':
    case 'record.updated':
      return [{ ...record, kind: 'changed' }];
    case 'record.deleted':
      return [{ ...record, kind: 'deleted' }];
    case 'record.merged': {
      // It names the record that is left; each of those that are gone has an event of its own.
      const gone = merged.safeParse(item).data?.duplicate_record_id;
      const changed: Hint = { ...record, kind: 'changed' };
      if (gone === undefined || gone === record.id) return [changed];
      return [changed, { ref: record.ref, id: gone, kind: 'merged', survivor: record.id }];
    }
    default:
      return [];
  }
}
