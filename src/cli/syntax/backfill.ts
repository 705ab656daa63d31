import { type Command, InvalidArgumentError } from 'commander';
import type { BackfillOptions } from '../commands/backfill-command.ts';
import type { Shell } from '../shell.ts';

export function addBackfill(program: Command, shell: Shell): void {
  program
    .command('backfill')
    .argument('[object...]', 'only these objects; all where left out')
    .summary('everything from scratch, with progress')
    .description(
      'Reads every record from scratch, then what is due of activities, recordings and the tables beside the records, as far as the configuration has them. Interrupted, it goes on where it stopped; what stands in Postgres meanwhile stays usable.',
    )
    .option('--since <time>', 'only records created since, such as 2026-01-31', instant)
    .option('--concurrency <n>', 'objects read at the same time', wholeNumber)
    .option('--restart', 'begin anew where an earlier one was interrupted')
    .option('--json', 'progress and result as JSON lines on standard output')
    .addHelpText('after', '\nExample:\n  clarify-sync backfill person --since 2026-01-01')
    .action((objects: string[], options: BackfillOptions) =>
      shell.run(options, 'lines', async (context) => {
        const { backfill } = await import('../commands/backfill-command.ts');
        return await backfill(context, objects, options);
      }),
    );
}

const ISO = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?)?$/;

/** A date or an instant, UTC where it does not say otherwise. @returns ISO-8601. */
export function instant(text: string): string {
  const [, day = '', time = '00:00', zone = 'Z'] = ISO.exec(text) ?? [];
  const ms = Date.parse(`${day}T${time}${zone}`);
  // February 30 would pass for a day in March.
  const midnight = new Date(`${day}T00:00Z`);
  if (!Number.isNaN(ms) && midnight.toISOString().startsWith(day))
    return new Date(ms).toISOString();
  throw new InvalidArgumentError('It is no date such as 2026-01-31.');
}

const MOST_AT_ONCE = 32;

function wholeNumber(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= MOST_AT_ONCE) return number;
  throw new InvalidArgumentError(`It is no whole number from 1 to ${MOST_AT_ONCE}.`);
}
