import { expect, test } from 'vitest';
import type { ObjectRun } from '../../../src/app/pull-all.ts';
import { type PassOutcome, reportPass } from '../../../src/cli/runs-report.ts';
import type { Screen } from '../../../src/cli/terminal.ts';

const plain: Screen = { paint: (_style, text) => text, width: Number.POSITIVE_INFINITY };
const nothing = { pending: 0, blocked: 0, parked: 0, openConflicts: 0, setAside: 0 };
const sent = {
  delivered: 3,
  refused: 0,
  gone: 0,
  failed: 0,
  unclear: 0,
  delegatedTo: null,
  errors: [],
};

function run(object: string, more: Partial<ObjectRun> = {}): ObjectRun {
  const counts = { read: 1_200, inserted: 3, updated: 4, removed: 5, conflicts: 6 };
  return { object, kind: 'pull', state: 'ok', counts, error: null, ...more };
}

function pass(more: Partial<PassOutcome> = {}): PassOutcome {
  const left = nothing;
  return {
    objects: [run('person')],
    push: sent,
    left,
    pushIsOn: true,
    interrupted: false,
    ...more,
  };
}

test('all went well', () => {
  const report = reportPass(pass(), plain);
  expect(report).toMatchObject({ exitCode: 0, next: null, failures: [] });
  expect(report.text).toEqual([
    'object  result   read  inserted  updated  removed  conflicts',
    'person  ok      1,200         3        4        5          6',
    'push: 3 delivered',
    'nothing is left to do',
  ]);
  expect(report.json).toEqual({ objects: [run('person')], push: sent, left: nothing });
});

test.each([
  { left: { ...nothing, parked: 1 }, exitCode: 3 },
  { left: { ...nothing, blocked: 1 }, exitCode: 3 },
  { left: { ...nothing, openConflicts: 1 }, exitCode: 3 },
  { left: { ...nothing, pending: 1 }, exitCode: 0 },
  { left: { ...nothing, pending: 1 }, push: { ...sent, failed: 1 }, exitCode: 1 },
  { left: { ...nothing, pending: 1 }, push: { ...sent, unclear: 1 }, exitCode: 1 },
  { push: { ...sent, refused: 1 }, left: { ...nothing, parked: 1 }, exitCode: 3 },
  { interrupted: true, exitCode: 1 },
] as const)('exit code $exitCode for %o', ({ exitCode, ...more }) => {
  const report = reportPass(pass(more), plain);
  expect(report.exitCode).toBe(exitCode);
  expect(report.next === null).toBe(exitCode === 0 && !('left' in more));
});

test('an object that failed or was not read whole is a failure, whatever else went well', () => {
  const error = { code: 'remote-timeout', message: 'no answer', hint: 'try later' };
  for (const state of ['failed', 'incomplete'] as const) {
    const report = reportPass(pass({ objects: [run('deal', { state, error })] }), plain);
    expect(report).toMatchObject({
      exitCode: 1,
      next: 'try later',
      failures: [{ code: 'remote-timeout', message: 'deal: no answer' }],
    });
  }
});

test('an object that has no records to read is nobody’s problem', () => {
  const error = { code: 'object-unavailable', message: 'playbook: no records' };
  const objects = [run('person'), run('playbook', { state: 'incomplete', error })];
  const report = reportPass(pass({ objects }), plain);
  expect(report).toMatchObject({ exitCode: 0, next: null, failures: [] });
  expect(report.text.join('\n')).toContain('no records');
});

test('says who does the sending', () => {
  const push = { ...sent, delegatedTo: 'host:12' };
  expect(reportPass(pass({ push }), plain).text).toContain(
    'push: left to the running service (host:12)',
  );
  expect(reportPass(pass({ push: null, pushIsOn: false }), plain).text).toContain('push: off');
  const { push: _, ...pull } = pass();
  expect(reportPass(pull, plain).text.join('\n')).not.toContain('push');
});

test('where the database is a copy, a person has to say whether it pushes', () => {
  const report = reportPass(pass({ push: null, left: { ...nothing, pending: 1 } }), plain);
  expect(report.text).toContain('push: held back, this database is a copy');
  expect(report).toMatchObject({ exitCode: 3, next: expect.stringContaining('doctor --adopt') });
});

test('an interruption is told once, and nothing is claimed of what was not read', () => {
  const error = { code: 'interrupted', message: 'person: interrupted' };
  const objects = [run('deal'), run('person', { state: 'failed', error })];
  const report = reportPass(pass({ objects, interrupted: true }), plain);
  expect(report).toMatchObject({ exitCode: 1, failures: [{ code: 'interrupted' }] });
  expect(report.failures).toHaveLength(1);
  expect(report.text.join('\n')).not.toContain('nothing is left');
});

test('rows that are not shown are named, with when another reading tells', () => {
  const tellsAt = '2026-01-02T03:04:05.000Z';
  const unconfirmed = [{ object: 'deals', rows: 2, tellsAt }];
  const report = reportPass(pass({ unconfirmed, crm: 'Attio' }), plain);
  expect(report).toMatchObject({
    exitCode: 0,
    next: `run \`clarify-sync sync deals\` again after ${tellsAt}`,
    json: { unconfirmed },
  });
  expect(report.text).not.toContain('nothing is left to do');
  expect(report.text.at(-1)).toBe(
    `2 rows of deals are not shown by Attio: another reading tells whether they are gone after ${tellsAt}`,
  );
  expect(reportPass(pass({ unconfirmed: [], crm: 'Attio' }), plain).text).toContain(
    'nothing is left to do',
  );
  expect(reportPass(pass({ unconfirmed, command: 'reconcile' }), plain).next).toBe(
    `run \`clarify-sync reconcile deals\` again after ${tellsAt}`,
  );
});

test('of rows that wait for a person no reading is said to tell more', () => {
  const error = {
    code: 'reconcile-mass-delete',
    message: 'deals: too many',
    hint: 'look at Attio',
  };
  const objects = [run('deals', { state: 'incomplete', error })];
  const unconfirmed = [{ object: 'deals', rows: 60, tellsAt: null }];
  const report = reportPass(pass({ objects, unconfirmed, crm: 'Attio' }), plain);
  expect(report).toMatchObject({ exitCode: 3, next: 'look at Attio', json: { unconfirmed } });
  expect(report.text.join('\n')).not.toContain('another reading');
});
