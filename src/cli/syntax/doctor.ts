import type { Command } from 'commander';
import type { DoctorFlags } from '../commands/doctor-command.ts';
import type { Shell } from '../shell.ts';

export function addDoctor(program: Command, shell: Shell): void {
  program
    .command('doctor')
    .summary('checks everything the sync depends on')
    .description(
      'Checks key, workspace, reachability, rate headroom, Postgres version and rights, migrations, triggers, objects that cannot be mirrored, clocks and installation. Changes nothing.',
    )
    .option('--adopt', 'let a copied database push; what was unfinished in it is parked')
    .option('--forget-webhook', 'have the CRM call nobody any more, whether or not `run` does')
    .option('--json', 'one JSON document on standard output')
    .addHelpText('after', '\nExample:\n  clarify-sync doctor')
    .action((flags: DoctorFlags) =>
      shell.run(flags, 'document', async (context) => {
        const { doctor } = await import('../commands/doctor-command.ts');
        // What changes something is done to the one that is named.
        if (flags.adopt === true || flags.forgetWebhook === true)
          return await doctor(context, flags);
        return await context.forEach((each) => doctor(each, {}));
      }),
    );
}
