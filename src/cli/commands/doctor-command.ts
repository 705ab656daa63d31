import type { Command } from 'commander';
import type { Check } from '../../app/doctor/check.ts';
import { runDoctor } from '../../app/doctor/doctor.ts';
import type { Report } from '../report.ts';
import type { CommandContext, CommonOptions, Shell } from '../shell.ts';
import { renderTable } from '../table.ts';
import { printable, type Screen, type Style } from '../terminal.ts';

interface DoctorFlags extends CommonOptions {
  readonly adopt?: boolean;
  readonly forgetWebhook?: boolean;
}

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
        // What changes something is done to the one that is named.
        if (flags.adopt === true || flags.forgetWebhook === true)
          return await doctor(context, flags);
        return await context.forEach((each) => doctor(each, {}));
      }),
    );
}

async function doctor(
  context: CommandContext,
  { adopt = false, forgetWebhook = false }: Pick<DoctorFlags, 'adopt' | 'forgetWebhook'>,
): Promise<Report> {
  const config = await context.config();
  const log = context.log(config);
  const checks = await runDoctor(config, { log, signal: context.signal, adopt, forgetWebhook });
  const first = checks.find(({ state }) => state === 'fail') ?? checks.find(({ hint }) => hint);
  return {
    json: { checks },
    text: renderChecks(checks, context.screen),
    exitCode: checks.some(({ state }) => state === 'fail') ? 1 : 0,
    next: first?.hint ?? null,
  };
}

const COLOUR: Readonly<Record<Check['state'], Style>> = {
  ok: 'green',
  warn: 'yellow',
  fail: 'red',
};

const COLUMNS = [{ title: '' }, { title: 'check' }, { title: 'found', wraps: true }] as const;

function renderChecks(checks: readonly Check[], screen: Screen): string[] {
  const rows = checks.flatMap(({ name, state, detail, hint }) => [
    [screen.paint(COLOUR[state], state), name, printable(detail)],
    ...(hint === null ? [] : [['', '', `→ ${printable(hint)}`]]),
  ]);
  return renderTable(COLUMNS, rows, screen);
}
