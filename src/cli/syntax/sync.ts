import type { Command } from 'commander';
import type { CommonOptions, Shell } from '../shell.ts';

export function addSync(program: Command, shell: Shell): void {
  program
    .command('sync')
    .argument('[object...]', 'only these objects; all where left out')
    .summary('one complete pass, both ways')
    .description(
      'One complete pass: schema, pull, push, deletions. Returns when both sides agree, or says what is left. Beside a running service the sending is left to it, and waited for.',
    )
    .option('--json', 'progress and result as JSON lines on standard output')
    .addHelpText('after', '\nExample:\n  clarify-sync sync person company')
    .action((objects: string[], options: CommonOptions) =>
      shell.run(options, 'lines', async (context) => {
        const { sync } = await import('../commands/sync-command.ts');
        return await sync(context, objects);
      }),
    );
}
