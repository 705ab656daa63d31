import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { STYLE } from '../../../src/http/page/assets.ts';
import { value } from '../../../src/http/page/format.ts';
import { html } from '../../../src/http/page/html.ts';
import { plots } from '../../../src/http/page/plots.ts';
import { seriesStart, toSeries } from '../../../src/http/page/series.ts';
import { activitiesList, allowanceTable, objectsTable } from '../../../src/http/page/tables.ts';

/** What markup is made of, and what no document can hold. */
const HOSTILE = ['<', '>', '&', '"', "'", '\0', '\ud83d', '\ude00', 'a', ';', '/', '='];

describe('markup (invariant 13)', () => {
  it('escapes whatever is put in, wherever it stands', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...HOSTILE) }), (text) => {
        const page = html`<p title="${text}">${value(text)}</p>`.toString();
        const inside = page.slice('<p title="'.length, -'</bdi></p>'.length);
        const [title = '', body = ''] = inside.split('"><bdi>');
        expect(title + body).not.toMatch(/[<>"']/);
        expect(page).not.toMatch(/[\0\ud800-\udfff]/u);
      }),
    );
  });

  it('keeps what it made itself, in lists too, and leaves out nothing but null and false', () => {
    const items = ['a', '<b>'].map((item) => html`<li>${item}</li>`);
    expect(html`<ul>${items}${null}${false}${0}</ul>`.toString()).toBe(
      '<ul><li>a</li><li>&lt;b&gt;</li>0</ul>',
    );
  });
});

const options = { nowSeconds: 1_000, bucketSeconds: 100, buckets: 4 };
const pull = (at: number, pulledAt: number, lagSeconds: number) => {
  return { object: 'person', at, pulled: 2, pushed: 0, lagSeconds, pulledAt };
};

describe('the series of the plots', () => {
  it('ends with the stretch under way', () => {
    expect(seriesStart(options)).toBe(700);
    expect(toSeries([], options).at).toEqual([700, 800, 900, 1_000]);
  });

  it('adds up what objects did, apart from what was pushed', () => {
    const pushed = { ...pull(800, 0, 0), object: null, pulled: 0, pushed: 5 };
    const series = toSeries(
      [pull(800, 850, 10), { ...pull(800, 860, 5), object: 'deal' }, pushed],
      options,
    );
    expect(series.pulled).toEqual([0, 4, 0, 0]);
    expect(series.pushed).toEqual([0, 5, 0, 0]);
  });

  it('lets the lag of a silent object grow, whatever others do', () => {
    const lively = [700, 800, 900, 1_000].map((at) => ({
      ...pull(at, at + 99, 1),
      object: 'deal',
    }));
    const series = toSeries([pull(700, 790, 60), ...lively], options);
    expect(series.lagSeconds).toEqual([60, 110, 210, 210]);
  });

  it('is unknown before anything was read', () => {
    expect(toSeries([pull(900, 950, 40)], options).lagSeconds).toEqual([null, null, 50, 50]);
  });
});

it('plots need no inline style, and say in words what they show', () => {
  const drawing = plots(toSeries([pull(800, 850, 10)], options), {
    crm: 'Clarify',
    bucketSeconds: 100,
  }).toString();
  expect(drawing).not.toContain('style=');
  expect(drawing).toContain('aria-label="Throughput: 2 rows from Clarify, 0 records to Clarify');
  expect(drawing).not.toContain('NaN');
});

describe('the tables', () => {
  const standing = {
    object: 'playbook',
    rows: 0n,
    pending: 0,
    blocked: 0,
    parked: 0,
    openConflicts: 0,
    setAside: 0,
    lagSeconds: null,
    lastPulledAt: null,
    problem: null,
    phase: 'backfill' as const,
    watermark: null,
    troubles: [],
  };
  const run = { kind: 'backfill', state: 'incomplete', startedAt: '', finishedAt: null } as const;

  it('call an object without records that, and no failure', () => {
    const table = (lastError: string) =>
      objectsTable([{ ...standing, lastRun: run, lastError }], () => null, 0).toString();
    expect(table('object-unavailable')).toContain('<span class="quiet">no records</span>');
    expect(table('object-unavailable')).not.toContain('class="bad"');
    expect(table('walk-ties')).toContain('<span class="bad">incomplete</span> <code>walk-ties');
  });

  it('say how far the past was read, and what of it failed', () => {
    const told = { object: 'deal', records: 2_000, whole: 900, isKept: true };
    const list = (counts: {
      read: number;
      waiting: number;
      failed: number;
      error: string | null;
    }) => activitiesList([{ ...told, ...counts }])?.toString();
    expect(list({ read: 1_500, waiting: 490, failed: 10, error: 'remote-<x>' })).toContain(
      '1,500 of 2,000 records read, 490 to read, <span class="warn">10 failed</span> <code>remote-&lt;x&gt;',
    );
    expect(list({ read: 2_000, waiting: 0, failed: 0, error: null })).toContain('read</li>');
    expect(activitiesList([])).toBeNull();
  });

  it('say what of an object does not work, and when it is tried again', () => {
    const trouble = {
      object: 'playbook',
      part: 'push' as const,
      code: 'remote-unavailable',
      message: 'Clarify has a <problem>',
      hint: null,
      since: '2026-01-01T00:00:00.000Z',
      attempts: 3,
      nextAttemptAt: '2026-01-01T00:00:30.000Z',
    };
    const lastRun = { ...run, state: 'ok' as const };
    const object = { ...standing, lastRun, lastError: trouble.code, troubles: [trouble] };
    const nowMs = Date.parse('2026-01-01T00:00:10.000Z');
    const table = objectsTable([object], () => null, nowMs).toString();
    expect(table).toContain('push <span class="bad">stopped</span>');
    expect(table).toContain('title="Clarify has a &lt;problem&gt;">remote-unavailable</code>');
    expect(table).toContain('again in 20');
  });

  it('let a narrow screen break an endpoint between its parts', () => {
    const endpoint = { endpoint: 'GET /objects/<b>/x', requests: 1, byStatus: {}, limit: 10 };
    const shown = (heldUntilMs: number | null) =>
      allowanceTable([{ ...endpoint, remaining: 4, waiting: 0, heldUntilMs }], {
        crm: 'Clarify',
        nowMs: 0,
      }).toString();
    const table = shown(null);
    expect(table).toContain('GET /<wbr>objects/<wbr>&lt;b&gt;/<wbr>x</th>');
    expect(table).toContain('6 of 10');
    expect(table).not.toContain('until');
    expect(shown(3_600_000)).toContain('nothing let through until 1970-01-01 01:00:00 UTC');
  });
});

it('the style sheet fetches nothing', () => {
  expect(STYLE).not.toMatch(/url\(|@import/);
});
