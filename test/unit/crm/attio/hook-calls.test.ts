import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { hookCalls } from '../../../../src/crm/attio/hook-calls.ts';

const SECRET = 'c0ffee';
const body = Buffer.from('{"events":[]}');
const digest = (of: Buffer, secret = SECRET) =>
  createHmac('sha256', secret).update(of).digest('hex');

function isSigned(headers: Record<string, string | string[]>, of = body): boolean {
  return hookCalls.isSigned({ body: of, headers }, SECRET);
}

describe('a signature', () => {
  it('is that of the body as it came, in either header', () => {
    expect(isSigned({ 'attio-signature': digest(body) })).toBe(true);
    expect(isSigned({ 'x-attio-signature': digest(body) })).toBe(true);
    expect(isSigned({ 'attio-signature': digest(body).toUpperCase() })).toBe(true);
    // The same JSON, and not the same bytes.
    expect(isSigned({ 'attio-signature': digest(body) }, Buffer.from('{"events": []}'))).toBe(
      false,
    );
  });

  it('is none where it is missing, of another secret, cut short, longer, or no hex', () => {
    for (const wrong of [
      '',
      digest(body, 'another'),
      digest(body).slice(0, 62),
      `${digest(body)}00`,
      'g'.repeat(64),
      `sha256=${digest(body)}`,
    ]) {
      expect(isSigned({ 'attio-signature': wrong })).toBe(false);
    }
    expect(isSigned({})).toBe(false);
  });
});

const names = (record: string) => ({
  workspace_id: 'w',
  object_id: 'o',
  record_id: record,
});
const read = (parsed: unknown) => hookCalls.read(Buffer.from(JSON.stringify(parsed)));
const event = (event_type: string, more: object = {}) => ({
  event_type,
  id: names('r'),
  actor: { type: 'system', id: null },
  ...more,
});

describe('what a call tells', () => {
  it('is which records to read, and why', () => {
    const events = [
      event('record.created'),
      event('record.updated', { id: { ...names('s'), attribute_id: 'a' } }),
      event('record.deleted'),
    ];
    expect(read({ webhook_id: 'h', events })).toEqual([
      { ref: 'o', id: 'r', kind: 'changed' },
      { ref: 'o', id: 's', kind: 'changed' },
      { ref: 'o', id: 'r', kind: 'deleted' },
    ]);
  });

  it('of a merge, is who is gone and where it lives on', () => {
    const merged = event('record.merged', { duplicate_object_id: 'o', duplicate_record_id: 'd' });
    expect(read({ events: [merged] })).toEqual([
      { ref: 'o', id: 'r', kind: 'changed' },
      { ref: 'o', id: 'd', kind: 'merged', survivor: 'r' },
    ]);
    expect(read({ events: [event('record.merged')] })).toEqual([
      { ref: 'o', id: 'r', kind: 'changed' },
    ]);
  });

  it('is nothing where it cannot be read, and each event is looked at by itself', () => {
    expect(hookCalls.read(Buffer.from('no JSON'))).toBeNull();
    expect(read({ webhook_id: 'h' })).toBeNull();
    const events = [
      null,
      7,
      { event_type: 'record.created' },
      { event_type: 'record.created', id: { object_id: 'o', record_id: 'x'.repeat(101) } },
      event('note.created'),
      event('record.updated'),
    ];
    expect(read({ events })).toEqual([{ ref: 'o', id: 'r', kind: 'changed' }]);
  });
});
