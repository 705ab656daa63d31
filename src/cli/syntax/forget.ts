import type { Command } from 'commander';
import type { ForgetFlags } from '../commands/forget-command.ts';
import type { Shell } from '../shell.ts';

export function addForget(program: Command, shell: Shell): void {
  program
    .command('forget')
    .argument('<object>', 'such as person')
    .argument('<id>', 'any id that the record has had')
    .summary("erase a person's data, once the record is deleted")
    .description(
      `Erases what is kept of a record besides its row: tombstone, history, activities, settled changes and conflicts,\nof every id it has had and of records that were merged into it. Only ids stay. It deletes nothing in\n${shell.crm.title}, and no row: delete the record first, there or here, and let it sync; while the row stands, its\npast goes and its present stays. Changes that wait are left, for they have yet to be sent. Backups and\nthe database's own log are not touched.\nThere is no way back: --dry-run says what it would erase.`,
    )
    .option('--dry-run', 'say what would be erased, and erase nothing')
    .option('--json', 'one JSON document on standard output')
    .addHelpText('after', '\nExample:\n  clarify-sync forget person 0198c0de-… --dry-run')
    .action((object: string, id: string, flags: ForgetFlags) =>
      shell.run(flags, 'document', async (context) => {
        const { forget } = await import('../commands/forget-command.ts');
        return await forget(context, { object, id, flags });
      }),
    );
}
