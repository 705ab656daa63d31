import { describe, expect, it } from 'vitest';
import {
  acceptPage,
  nextRequest,
  startWalk,
  type WalkOptions,
  type WalkPage,
} from '../../../src/domain/walk/walk.ts';

const FROM = '2026-09-14T12:00:00.000Z';
const STARTED_AT_MS = Date.parse('2026-09-14T12:10:00.000Z');

function start(options: Partial<WalkOptions> = {}): ReturnType<typeof startWalk> {
  return startWalk({
    orderBy: 'updated',
    from: FROM,
    limit: 3,
    probe: false,
    startedAtMs: STARTED_AT_MS,
    ...options,
  });
}

/** A page from `id@hh:mm:ss` texts of that day, or `id@` for a record without the timestamp. */
function page(texts: readonly string[], more: boolean): WalkPage {
  const records = texts.map((text) => {
    const [id = '', time = ''] = text.split('@');
    const at = time === '' ? null : `2026-09-14T${time}.000Z`;
    return { id, at, version: at };
  });
  return { records, total: null, more };
}

describe('a walk', () => {
  it('asks for the newest first when it probes, and is done when they reach back', () => {
    const probe = start({ probe: true });
    expect(nextRequest(probe)).toEqual({
      orderBy: 'updated',
      direction: 'desc',
      from: FROM,
      offset: 0,
      limit: 3,
    });
    const step = acceptPage(probe, page(['c@12:05:00', 'b@12:01:00', 'a@11:30:00'], true));
    expect(step).toMatchObject({ accepted: [0, 1], done: true, verdict: 'ok', problem: null });
    expect(step.watermark).toBe('2026-09-14T12:05:00.000Z');
    expect(nextRequest(step.state)).toBeNull();
  });

  it('takes nothing from a probe that does not reach back, and climbs', () => {
    const step = acceptPage(start({ probe: true }), page(['c@12:05:00', 'b@12:00:00'], true));
    expect(step).toMatchObject({ accepted: [], watermark: null, done: false, verdict: null });
    expect(nextRequest(step.state)).toMatchObject({ direction: 'asc', from: FROM, offset: 0 });
  });

  it('has nothing to probe for where it walks from the beginning', () => {
    const request = nextRequest(start({ from: null, probe: true }));
    expect(request).toMatchObject({ direction: 'asc', from: undefined, offset: 0 });
  });

  it('re-anchors on the last timestamp and hands over no version twice in a row', () => {
    const first = acceptPage(start(), page(['a@12:00:00', 'b@12:01:00', 'c@12:02:00'], true));
    expect(first).toMatchObject({ accepted: [0, 1, 2], watermark: '2026-09-14T12:02:00.000Z' });
    expect(nextRequest(first.state)).toMatchObject({ from: first.watermark, offset: 0 });
    const second = acceptPage(first.state, page(['c@12:02:00', 'a@12:03:00'], false));
    expect(second).toMatchObject({ accepted: [1], done: true, verdict: 'ok' });
  });

  it('moves no watermark past its own start, whatever records claim', () => {
    const step = acceptPage(start(), page(['a@12:00:00', 'b@23:00:00'], false));
    expect(step.watermark).toBe('2026-09-14T12:10:00.000Z');
  });

  it('leaves the watermark of a quiet object: the Date header may be another clock', () => {
    expect(acceptPage(start(), page([], false)).watermark).toBeNull();
  });

  it('is incomplete, and keeps what is proven, where the order is not what was asked for', () => {
    const first = acceptPage(start(), page(['a@12:00:00', 'b@12:01:00', 'c@12:02:00'], true));
    const second = acceptPage(first.state, page(['e@12:04:00', 'd@12:03:00'], true));
    expect(second).toMatchObject({ done: true, verdict: 'incomplete', problem: 'unsorted' });
    expect(second).toMatchObject({ accepted: [0, 1], watermark: '2026-09-14T12:02:00.000Z' });
  });

  it.each([
    ['the same page', ['a@12:00:00', 'b@12:00:00', 'c@12:00:00']],
    ['the same page of several times', ['a@12:00:00', 'b@12:01:00', 'c@12:02:00']],
    ['an empty page', []],
    ['records without a timestamp', ['a@', 'b@']],
  ])('comes to an end where the server for ever answers %s', (_, texts) => {
    for (const from of [FROM, null]) {
      let state = start({ from });
      let requests = 0;
      let verdict: string | null = null;
      while (verdict === null && requests < 1_000) {
        const step = acceptPage(state, page(texts, true));
        ({ state, verdict } = step);
        requests += 1;
      }
      expect(verdict).toBe('incomplete');
      expect(requests).toBeLessThan(250);
    }
  });

  it('counts timestamps it cannot read, and hands their records over', () => {
    const records = [{ id: 'a', at: 'soon', version: null }];
    const step = acceptPage(start(), { records, total: 1, more: false });
    expect(step).toMatchObject({ accepted: [0], unreadable: 1, verdict: 'ok' });
  });

  it('refuses to start at a time that is none, without repeating it', () => {
    expect(() => start({ from: 'tomorrow' })).toThrow(
      expect.objectContaining({
        code: 'bad-instant',
        message: expect.not.stringContaining('tomo'),
      }),
    );
  });

  it('takes no page once it is done', () => {
    const { state } = acceptPage(start(), page([], false));
    expect(() => acceptPage(state, page([], false))).toThrow('done');
  });
});
