import { type Command, Option } from 'commander';
import type { SchemaFlags } from '../commands/schema-command.ts';
import type { Shell } from '../shell.ts';

export function addSchema(program: Command, shell: Shell): void {
  program
    .command('schema')
    .summary('the objects and fields of the workspace')
    .description(
      'The objects and fields that the workspace has, as it describes them now. With --sql the statements that would bring the mirror tables up to it; none is run. With --drizzle the tables as a TypeScript module for your own code: each exported under its name, its columns under theirs; a name that is no identifier, or that Drizzle has for itself, is followed by a hash of it.',
    )
    .option('--sql', 'the statements a sync would run; needs the database as well')
    .addOption(
      new Option('--drizzle', 'a typed Drizzle module; needs the database as well').conflicts(
        'sql',
      ),
    )
    .option('--json', 'one JSON document on standard output')
    .addHelpText(
      'after',
      '\nExample:\n  clarify-sync schema --sql > mirror.sql\n  clarify-sync schema --drizzle > mirror.ts',
    )
    .action((flags: SchemaFlags) =>
      shell.run(flags, 'document', async (context) => {
        const { schema } = await import('../commands/schema-command.ts');
        return await schema(context, flags);
      }),
    );
}
