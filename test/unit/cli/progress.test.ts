import { expect, test } from 'vitest';
import { openProgress, paceOf } from '../../../src/cli/progress.ts';
import { recordingTerminal } from './recording-terminal.ts';

function clock() {
  let ms = 0;
  return { nowMs: () => ms, pass: (more: number) => (ms += more) };
}

test('rate and time left follow from what came in so far', () => {
  const update = { object: 'person', read: 3_000, total: 9_000 };
  expect(paceOf(update, 2_000)).toEqual({ recordsPerSecond: 1_500, secondsLeft: 4 });
  expect(paceOf({ ...update, total: null }, 2_000).secondsLeft).toBeNull();
  expect(paceOf({ ...update, read: 0 }, 2_000)).toEqual({ recordsPerSecond: 0, secondsLeft: null });
  expect(paceOf({ ...update, read: 9_500 }, 1_000).secondsLeft).toBe(0);
});

test('without a terminal: a line per object every few seconds, none for what is quick', () => {
  const { terminal, out, err } = recordingTerminal();
  const time = clock();
  const progress = openProgress(terminal, { json: false, nowMs: time.nowMs });
  progress.update({ object: 'deal', read: 10, total: 10 });
  progress.update({ object: 'person', read: 500, total: 12_000 });
  time.pass(2_900);
  progress.update({ object: 'person', read: 1_000, total: 12_000 });
  expect(err()).toEqual([]);
  time.pass(100);
  progress.update({ object: 'person', read: 3_000, total: 12_000 });
  progress.update({ object: 'person', read: 3_500, total: 12_000 });
  progress.stop();
  progress.stop();
  expect(err()).toEqual(['person: 3,000 of 12,000 records, 1,000/s, 9 s left']);
  expect(out()).toEqual([]);
});

test('with --json: the first and the last of every object, in between one a second', () => {
  const { terminal, out, err } = recordingTerminal();
  const time = clock();
  const progress = openProgress(terminal, { json: true, nowMs: time.nowMs });
  progress.update({ object: 'person', read: 500, total: null });
  progress.update({ object: 'person', read: 1_000, total: null });
  time.pass(1_000);
  progress.update({ object: 'person', read: 1_500, total: null });
  progress.update({ object: 'person', read: 2_000, total: null });
  progress.stop();
  const lines = out().map((line): unknown => JSON.parse(line));
  expect(lines).toMatchObject([
    { type: 'progress', object: 'person', read: 500, total: null },
    { type: 'progress', object: 'person', read: 1_500, recordsPerSecond: 1_500 },
    { type: 'progress', object: 'person', read: 2_000, secondsLeft: null },
  ]);
  expect(err()).toEqual([]);
});

test('no more is read than there is', () => {
  const { terminal, out } = recordingTerminal();
  const progress = openProgress(terminal, { json: true, nowMs: () => 0 });
  progress.update({ object: 'person', read: 60_003, total: 60_000 });
  expect(out().map((line): unknown => JSON.parse(line))).toMatchObject([
    { read: 60_003, total: 60_003, secondsLeft: null },
  ]);
  progress.stop();
});

test('catching up after a backfill does not begin again at nothing', () => {
  const { terminal, out } = recordingTerminal();
  const progress = openProgress(terminal, { json: true, nowMs: () => 0 });
  progress.update({ object: 'person', read: 60_000, total: 60_000 });
  progress.update({ object: 'person', read: 1, total: 1 });
  progress.stop();
  expect(out()).toHaveLength(1);
});
