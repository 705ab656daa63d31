import { expect, test } from 'vitest';
import { printReport, type Report } from '../../../src/cli/report.ts';
import { recordingTerminal } from './recording-terminal.ts';

const report: Report = {
  json: { rows: 12_345_678_901_234_567_890n },
  text: ['object  rows'],
  failures: [{ code: 'late', message: 'too late', hint: 'hurry', problems: [] }],
  exitCode: 1,
  next: 'look again',
};

test('a person reads results on one stream and everything else on the other', () => {
  const { terminal, out, err } = recordingTerminal();
  printReport(terminal, report, 'human');
  expect(out()).toEqual(['object  rows']);
  expect(err()).toEqual(['error [late]: too late', '→ hurry', '→ look again']);
});

test('what to do is said once', () => {
  const { terminal, err } = recordingTerminal();
  printReport(terminal, { ...report, next: 'hurry' }, 'human');
  expect(err()).toEqual(['error [late]: too late', '→ hurry']);
});

test('a script reads one document, digits and all', () => {
  const { terminal, out, err } = recordingTerminal();
  printReport(terminal, report, 'document');
  expect(out()).toEqual(['{"rows":12345678901234567890,"next":"look again"}']);
  expect(err()).toEqual([]);
});

test('after lines of progress the result says that it is one', () => {
  const { terminal, out } = recordingTerminal();
  printReport(terminal, { ...report, next: null }, 'lines');
  expect(out()).toEqual(['{"type":"result","rows":12345678901234567890,"next":null}']);
});
