import { describe, expect, it } from 'vitest';
import { createLog, type LogOptions } from '../../../src/app/log.ts';
import { lineForReaders } from '../../../src/app/log-lines.ts';
import { SyncError } from '../../../src/domain/errors.ts';

function capture(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const stream = { write: (line: string) => void lines.push(line) };
  return { lines, log: createLog({ level: 'info', stream, ...options }) };
}

describe('createLog', () => {
  it('writes one JSON document a line, with level and time in words', () => {
    const { lines, log } = capture();
    log.child({ object: 'deal' }).warn({ rows: 3 }, 'pulled');
    expect(lines).toHaveLength(1);
    const line: unknown = JSON.parse(lines[0] ?? '');
    expect(line).toMatchObject({ level: 'warn', object: 'deal', rows: 3, msg: 'pulled' });
    expect(line).toHaveProperty('time', expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/));
  });

  it('is quiet below its level', () => {
    const { lines, log } = capture({ level: 'warn' });
    log.info('nothing happened');
    expect(lines).toEqual([]);
  });

  it('keeps out secrets that somebody logged', () => {
    const { lines, log } = capture();
    log.info({ apiKey: 'hunter2', request: { headers: { authorization: 'hunter2' } } }, 'x');
    expect(lines.join()).not.toContain('hunter2');
  });

  it('keeps out what libraries hang on errors, and what a message quotes', () => {
    const { lines, log } = capture();
    const http = Object.assign(new Error('GET http://h/x?filter[email]=hunter2 failed'), {
      code: 'ERR_X',
      options: { headers: { 'x-key': 'hunter2' } },
    });
    const syntax = new SyntaxError('Unexpected token h in "hunter2"', { cause: http });
    const error = new SyncError('deal d1 cannot be read', {
      code: 'remote-malformed',
      disposition: 'park',
      hint: 'try again',
      cause: syntax,
    });
    log.error({ err: error }, 'failed');
    expect(lines.join()).not.toContain('hunter2');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      err: {
        code: 'remote-malformed',
        message: 'deal d1 cannot be read',
        hint: 'try again',
        cause: {
          type: 'SyntaxError',
          cause: { code: 'ERR_X', message: 'GET http://h/x?… failed' },
        },
      },
    });
  });

  it('shows where an error arose only where it is a bug, or with debug', () => {
    const known = new SyncError('nobody answers', {
      code: 'remote-unreachable',
      disposition: 'retry',
    });
    const stackOf = (error: Error, level: LogOptions['level']) => {
      const { lines, log } = capture({ level });
      log.error({ err: error }, 'failed');
      return /"stack":/.test(lines.join());
    };
    expect(stackOf(known, 'info')).toBe(false);
    expect(stackOf(known, 'debug')).toBe(true);
    expect(stackOf(new TypeError('x is not a function'), 'info')).toBe(true);
  });

  it('survives an error that is its own cause', () => {
    const { lines, log } = capture();
    const error = new Error('loop');
    error.cause = error;
    log.error({ err: error }, 'failed');
    expect(lines).toHaveLength(1);
  });

  it('writes for readers where asked to', () => {
    const { lines, log } = capture({ format: lineForReaders() });
    log.info('hello');
    expect(lines.join()).toMatch(/INFO.*hello/);
  });
});
