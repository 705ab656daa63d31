import { expect, test } from 'vitest';
import { describeFailure, renderFailure, stackFrames } from '../../../src/cli/failure.ts';
import type { Screen } from '../../../src/cli/terminal.ts';
import { RemoteError, SyncError, UsageError } from '../../../src/domain/errors.ts';

const plain: Screen = { paint: (_style, text) => text, width: Number.POSITIVE_INFINITY };
const render = (error: unknown) => renderFailure(describeFailure(error), plain);

test('an error of ours is one line with its code, and one with what to do', () => {
  const error = new SyncError('Postgres did not answer', {
    code: 'database-unreachable',
    disposition: 'retry',
    hint: 'check DATABASE_URL',
  });
  expect(render(error)).toEqual([
    'error [database-unreachable]: Postgres did not answer',
    '→ check DATABASE_URL',
  ]);
});

test.each([
  [
    'retry',
    'run the command again: it goes on where it stopped; docs/errors.md explains cursor-moved',
  ],
  ['halt', 'docs/errors.md explains cursor-moved'],
] as const)('an error without a hint (%s) has a next step all the same', (disposition, hint) => {
  const error = new SyncError('something', { code: 'cursor-moved', disposition });
  expect(describeFailure(error).hint).toBe(hint);
});

test('the words of the CRM stay out: they may quote a value', () => {
  const error = new RemoteError('POST /objects/person: refused', {
    code: 'remote-invalid',
    disposition: 'park',
    status: 422,
    reason: 'ada@example.com is taken',
  });
  expect(render(error).join('\n')).not.toContain('ada@example.com');
  expect(JSON.stringify(describeFailure(error))).not.toContain('ada@example.com');
});

test('every mistake is named', () => {
  expect(render(new UsageError(['a is missing', 'b is wrong'], 'see the docs'))).toEqual([
    'error [usage]: 2 mistakes',
    '  - a is missing',
    '  - b is wrong',
    '→ see the docs',
  ]);
});

test('a bug names its place; what was parsed is not quoted', () => {
  let caught: unknown;
  try {
    JSON.parse('{"secret": oops}');
  } catch (error) {
    caught = error;
  }
  const [line = '', hint] = render(caught);
  expect(line).toMatch(/^error \[unexpected\]: SyntaxError/);
  expect(line).not.toContain('secret');
  expect(hint).toBe('→ this is a bug: please report it, with this line');
  expect(stackFrames(caught).join('\n')).not.toContain('secret');
  expect(render(new TypeError('x is not a function'))[0]).toContain('x is not a function');
  expect(render('thrown text')[0]).not.toContain('thrown text');
});

test('an error of the operating system says what failed', () => {
  const error = Object.assign(new Error('EACCES: permission denied'), {
    code: 'EACCES',
    syscall: 'mkdir',
    path: '/x',
  });
  expect(render(error)).toEqual([
    'error [system]: mkdir failed with EACCES: /x',
    '→ give this user the right to it, or run in another folder',
  ]);
});

test('an interruption says how to go on', () => {
  expect(describeFailure(new DOMException('stopped', 'AbortError')).code).toBe('interrupted');
});
