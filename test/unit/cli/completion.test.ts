import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { type ShellName, shells } from '../../../src/cli/completion.ts';
import { runProgram } from '../../../src/cli/program.ts';
import { recordingTerminal } from './recording-terminal.ts';

async function script(shell: ShellName): Promise<string> {
  const { terminal, out } = recordingTerminal();
  const signal = AbortSignal.abort();
  expect(await runProgram({ args: ['completion', shell], terminal, signal })).toBe(0);
  return out().join('\n');
}

test.each(shells)('%s: every command, subcommand, option and choice is in it', async (shell) => {
  const text = await script(shell);
  for (const word of ['backfill', 'outbox list', 'resolve', 'superseded', 'classic', 'fish']) {
    expect(text).toContain(word);
  }
  expect(text).toMatch(/-l restart|--restart/);
});

/** What bash offers where the cursor stands behind the last word. */
async function offered(...line: string[]): Promise<string[]> {
  const complete = `COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _clarify_sync; echo "\${COMPREPLY[*]}"`;
  const program = `${await script('bash')}\n${complete}`;
  const args = ['--norc', '-c', program, 'bash', 'clarify-sync', ...line];
  const { stdout } = await promisify(execFile)('bash', args);
  return stdout.trim().split(' ');
}

test.each<[string[], string[]]>([
  [['out'], ['outbox']],
  [
    ['outbox', ''],
    ['list', 'show', 'retry', 'discard', 'approve', 'revert', 'help', '--help'],
  ],
  [
    ['outbox', 'list', '--state', ''],
    ['pending', 'sending', 'done', 'parked', 'superseded', 'cancelled'],
  ],
  [['outbox', 'list', '--state', 'parked', '--l'], ['--limit']],
  [['push', 'deal', '--d'], ['--dry-run']],
  [['backfill', '--since', ''], ['']],
])('bash completes %j', async (line, expected) => {
  expect(await offered(...line)).toEqual(expected);
});
