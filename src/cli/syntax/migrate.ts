import type { Command } from 'commander';
import type { CommonOptions, Shell } from '../shell.ts';

export function addMigrate(program: Command, shell: Shell): void {
  program
    .command('migrate')
    .summary('control-schema migrations alone')
    .description(
      'Brings the control tables (the schema that ends in _sync) up to date. Safe to repeat, and to run from several machines at once. Every other command does the same when it opens the database.',
    )
    .option('--json', 'one JSON document on standard output')
    .addHelpText('after', '\nExample:\n  DATABASE_URL=postgres://… clarify-sync migrate')
    .action((options: CommonOptions) =>
      shell.run(options, 'document', async (context) => {
        const { migrate } = await import('../commands/migrate-command.ts');
        return await migrate(context);
      }),
    );
}
