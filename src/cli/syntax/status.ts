import type { Command } from 'commander';
import type { CommonOptions, Shell } from '../shell.ts';

export function addStatus(program: Command, shell: Shell): void {
  program
    .command('status')
    .summary('how every object stands')
    .description(
      'Per object: rows, lag, watermark, what is pending, blocked, parked or in open conflict, and the last run with its result. Needs the database alone.',
    )
    .option('--json', 'one JSON document on standard output')
    .addHelpText('after', '\nExample:\n  clarify-sync status --json | jq .objects[].lagSeconds')
    .action((options: CommonOptions) =>
      shell.run(options, 'document', async (context) => {
        const { status } = await import('../commands/status-command.ts');
        return await context.forEach(status, { remote: false });
      }),
    );
}
