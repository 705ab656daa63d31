import type { Command } from 'commander';
import { demos } from '../../emulator/emulators.ts';
import type { DemoFlags } from '../commands/demo-command.ts';
import { crmOption, titlesOf } from '../crm-option.ts';
import type { Shell } from '../shell.ts';

export function addDemo(program: Command, shell: Shell): void {
  program
    .command('demo')
    .summary('see it work, with nothing to set up')
    .description(
      `An emulated ${titlesOf(demos)} workspace with sample data, an embedded Postgres and the service between them: edits on both sides arrive on the other. Then stays, for you to join in, until Ctrl-C.`,
    )
    .addOption(crmOption(demos))
    .option('--once', 'end after the script; exit 1 unless everything arrived')
    .option('--json', 'like --once, with one JSON document on standard output')
    .addHelpText('after', '\nExample:\n  clarify-sync demo --once')
    .action((flags: DemoFlags) =>
      shell.run(flags, 'document', async (context) => {
        const { demo } = await import('../commands/demo-command.ts');
        return await demo(context, flags);
      }),
    );
}
