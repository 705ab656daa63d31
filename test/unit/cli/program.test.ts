import { expect, test } from 'vitest';
import { runProgram } from '../../../src/cli/program.ts';
import { recordingTerminal } from './recording-terminal.ts';

async function run(...args: string[]) {
  const { terminal, out, err } = recordingTerminal();
  const signal = AbortSignal.abort();
  return { exitCode: await runProgram({ args, terminal, signal }), out: out(), err: err() };
}

const COMMANDS = [
  'run',
  'sync',
  'pull',
  'push',
  'backfill',
  'reconcile',
  'status',
  'schema',
  'doctor',
  'migrate',
  'outbox list',
  'outbox show',
  'outbox retry',
  'outbox discard',
  'outbox approve',
  'outbox revert',
  'conflicts list',
  'conflicts show',
  'conflicts resolve',
  'emulator',
  'demo',
  'completion',
];

test.each(COMMANDS)('%s explains itself, with an example', async (command) => {
  const { exitCode, out, err } = await run(...command.split(' '), '--help');
  expect({ exitCode, err }).toEqual({ exitCode: 0, err: [] });
  expect(out[0]).toMatch(new RegExp(`^Usage: clarify-sync ${command}`));
  expect(out.join('\n')).toContain('--json');
  expect(out.join('\n')).toMatch(new RegExp(`\nExample:\n  .*clarify-sync ${command}`));
});

test('help lists every command, and no arguments show it', async () => {
  const [help, bare] = await Promise.all([run('--help'), run()]);
  expect(bare).toEqual(help);
  expect(help.exitCode).toBe(0);
  for (const command of COMMANDS) {
    expect(help.out.join('\n')).toMatch(new RegExp(`^  ${command.split(' ')[0]} `, 'm'));
  }
});

test('tells its version', async () => {
  expect(await run('--version')).toMatchObject({
    exitCode: 0,
    out: [expect.stringMatching(/^\d+\.\d+\.\d+/)],
  });
});

test.each([
  [['completion', 'csh'], 'Allowed choices are bash, zsh, fish'],
  [['frobnicate'], `unknown command 'frobnicate'`],
  [['sync', '--frobnicate'], `unknown option '--frobnicate'`],
  [['syn'], 'Did you mean sync?'],
  [['status', 'person'], 'too many arguments'],
  [['outbox', 'show'], `missing required argument 'id'`],
  [['outbox', 'show', 'seven'], 'It is no id such as 42.'],
  [['outbox', 'retry'], 'give ids, or --all'],
  [['outbox', 'approve'], 'give ids, or --all'],
  [['outbox', 'approve', '7', '--all'], 'give ids, or --all'],
  [['outbox', 'revert'], `missing required argument 'id'`],
  [['outbox', 'list', '--state', 'lost'], 'Allowed choices are pending'],
  [['conflicts', 'resolve', '7'], `required option '--take <side>' not specified`],
  [['conflicts', 'resolve', 'seven', '--take', 'local'], 'It is no id such as 42.'],
  [['schema', '--sql', '--drizzle'], 'cannot be used with option'],
  [['outbox', 'list', '--limit', '0'], 'It is no whole number'],
  [['emulator', '--port', '70000'], 'It is no port'],
  [['emulator', '--switch', 'tieOrder=upwards'], 'tieOrder is one of'],
  [['emulator', '--switch', 'tieOrder'], 'name=value'],
  [['emulator', '--people', 'many'], 'It is no whole number'],
  [['emulator', '--dialect', 'old'], 'Allowed choices are current, classic'],
  [['emulator', '--crm', 'other'], 'Allowed choices are clarify, attio'],
  [['emulator', '--crm', 'attio', '--dialect', 'classic'], 'Attio has no option --dialect'],
  [['emulator', '--crm', 'attio', '--switch', 'pageMax=2'], 'no switch is called "pageMax"'],
  [['demo', '--crm', 'other'], 'Allowed choices are clarify'],
  [['backfill', '--since', '2026-02-30'], 'It is no date'],
  [['backfill', '--concurrency', '0'], 'It is no whole number'],
])('%j is wrong usage: one line, what to do, and 2', async (args, message) => {
  const { exitCode, out, err } = await run(...args);
  expect(err[0]).toMatch(/^error \[usage\]: /);
  expect(err[0]).toContain(message);
  expect({ exitCode, out }).toEqual({ exitCode: 2, out: [] });
});

test('a command of commands alone shows what there is', async () => {
  const { exitCode, out, err } = await run('outbox');
  expect({ exitCode, out }).toEqual({ exitCode: 2, out: [] });
  expect(err[0]).toMatch(/^Usage: clarify-sync outbox/);
  expect(err.join('\n')).toContain('discard');
  expect(err.join('\n')).not.toContain('error');
});

test('with --json wrong usage is a document too', async () => {
  const { exitCode, out } = await run('status', '--json', '--frobnicate');
  expect(exitCode).toBe(2);
  expect(out).toHaveLength(1);
  expect(JSON.parse(out[0] ?? '')).toMatchObject({
    error: { code: 'usage', message: `unknown option '--frobnicate'` },
    next: expect.any(String),
  });
});
