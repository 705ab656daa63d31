import { type Command, InvalidArgumentError } from 'commander';
import { emulators } from '../../emulator/emulators.ts';
import type { EmulatorFlags } from '../commands/emulator-command.ts';
import { crmOption, titlesOf } from '../crm-option.ts';
import { addRoomFlags, roomHelp } from '../room-flags.ts';
import type { Shell } from '../shell.ts';

export function addEmulator(program: Command, shell: Shell): void {
  const titles = titlesOf(emulators);
  const command = program
    .command('emulator')
    .summary(`a local ${titles} workspace over HTTP`)
    .description(
      `A ${titles} workspace in memory, over real HTTP, with sample records that are the same for the same seed. Prints what to set to use it, and serves until Ctrl-C.`,
    )
    .addOption(crmOption(emulators))
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on, 0 for any free one', port, 8470)
    .option('--key <key>', 'the API key to accept', 'demo-key')
    .option('--seed <seed>', 'same seed, same sample records', '1')
    .option('--latency <ms>', 'every answer waits this long', count)
    .option('--empty', 'no sample records')
    .option('--switch <name=value>', 'a switch as below; may be repeated', toSwitches)
    .option('--json', 'one JSON document on standard output once it serves')
    .addHelpText('after', roomHelp)
    .action((flags: EmulatorFlags) =>
      shell.run(flags, 'document', async (context) => {
        const { serve } = await import('../commands/emulator-command.ts');
        return await serve(context, flags, command);
      }),
    );
  addRoomFlags(command, count);
}

/** Only their form: what there is to switch depends on the CRM. */
function toSwitches(text: string, before: readonly string[] = []): readonly string[] {
  if (text.indexOf('=') >= 1) return [...before, text];
  throw new InvalidArgumentError('It is not of the form name=value.');
}

function port(text: string): number {
  const number = Number(text);
  if (/^\d{1,5}$/.test(text) && number <= 65_535) return number;
  throw new InvalidArgumentError('It is no port from 0 to 65535.');
}

const MOST_RECORDS = 5_000_000;

function count(text: string): number {
  const number = Number(text);
  if (/^\d{1,7}$/.test(text) && number <= MOST_RECORDS) return number;
  throw new InvalidArgumentError(`It is no whole number up to ${MOST_RECORDS}.`);
}
