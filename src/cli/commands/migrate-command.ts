import type { Command } from 'commander';
import { controlVersion } from '../../db/migrate.ts';
import type { Report } from '../report.ts';
import type { CommandContext, CommonOptions, Shell } from '../shell.ts';

export function addMigrate(program: Command, shell: Shell): void {
  program
    .command('migrate')
    .summary('control-schema migrations alone')
    .description(
      'Brings the control tables (the schema that ends in _sync) up to date. Safe to repeat, and to run from several machines at once. Every other command does the same when it opens the database.',
    )
    .option('--json', 'one JSON document on standard output')
    .addHelpText('after', '\nExample:\n  DATABASE_URL=postgres://… clarify-sync migrate')
    .action((options: CommonOptions) => shell.run(options, 'document', migrate));
}

/** Opening the database migrates it; what is left to do here is to say so. */
async function migrate(context: CommandContext): Promise<Report> {
  return await context.withDatabase(async ({ db }) => {
    const { applied, total } = await controlVersion(db);
    return {
      json: { applied, total },
      text: [`the control schema is up to date: ${applied} of ${total} migrations applied`],
      exitCode: 0,
      next: null,
    };
  });
}
