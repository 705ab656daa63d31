import type { Command } from 'commander';
import type { CommonOptions, Shell } from '../shell.ts';

export function addPull(program: Command, shell: Shell): void {
  program
    .command('pull')
    .argument('[object...]', 'only these objects; all where left out')
    .summary(`${shell.crm.title} to Postgres, once`)
    .description(
      'Brings the mirror tables up to date, once. An object never read before is read from scratch.',
    )
    .option('--json', 'progress and result as JSON lines on standard output')
    .addHelpText('after', '\nExample:\n  clarify-sync pull deal')
    .action((objects: string[], options: CommonOptions) =>
      shell.run(options, 'lines', async (context) => {
        const { pull } = await import('../commands/pull-command.ts');
        return await pull(context, objects);
      }),
    );
}
