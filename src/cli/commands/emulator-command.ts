import type { Command } from 'commander';
import { SyncError } from '../../domain/errors.ts';
import { emulators, variablesFor } from '../../emulator/emulators.ts';
import type { Emulated, Room } from '../../emulator/kernel/room.ts';
import { roomNamed } from '../crm-option.ts';
import type { Report } from '../report.ts';
import { readRoomFlags } from '../room-flags.ts';
import type { CommandContext, CommonOptions } from '../shell.ts';
import { untilAborted } from '../until-aborted.ts';

export interface EmulatorFlags extends CommonOptions {
  readonly crm: string;
  readonly host: string;
  readonly port: number;
  readonly key: string;
  readonly seed: string;
  readonly latency?: number;
  readonly empty?: boolean;
  readonly switch?: readonly string[];
}

/** Says where it is once it serves, so that nothing is left to report at the end. */
export async function serve(
  context: CommandContext,
  flags: EmulatorFlags,
  command: Command,
): Promise<Report | null> {
  const room = roomNamed(emulators, flags.crm);
  const emulated = await start(room, flags, command);
  try {
    const { adminUrl, is, otherwise, document } = emulated;
    const { out, err } = context.terminal;
    if (flags.json === true) {
      out.write(`${JSON.stringify({ ...document, next: null })}\n`);
    } else {
      out.write(
        [
          `# ${is}; to act as a person in the app: ${adminUrl}`,
          ...exports(variablesFor(room, emulated)),
          ...(otherwise === null ? [] : [`# ${otherwise.about}:`, ...exports(otherwise.variables)]),
          '',
        ].join('\n'),
      );
      err.write('→ set these in another terminal and run `clarify-sync sync`; Ctrl-C ends it\n');
    }
    await untilAborted(context.signal);
  } finally {
    await emulated.stop();
  }
  return null;
}

function exports(variables: Readonly<Record<string, string>>): string[] {
  return Object.entries(variables).map(([name, value]) => `export ${name}=${value}`);
}

async function start(room: Room, flags: EmulatorFlags, command: Command): Promise<Emulated> {
  const own = readRoomFlags(room, command, flags.switch ?? []);
  const latency = flags.latency === undefined ? {} : { latencyMs: flags.latency };
  try {
    return await room.start({
      host: flags.host,
      port: flags.port,
      apiKey: flags.key,
      seed: flags.seed,
      sizes: flags.empty === true ? 'none' : own.sizes,
      switches: { ...own.switches, ...latency },
      flags: own.flags,
    });
  } catch (cause) {
    throw cannotListen(cause, flags) ?? cause;
  }
}

/** Of the errors of `listen` only those a person can do something about. */
function cannotListen(cause: unknown, { host, port: wanted }: EmulatorFlags): SyncError | null {
  const code = cause instanceof Error && 'code' in cause ? cause.code : null;
  const refuse = (name: string, message: string, hint: string) =>
    new SyncError(message, { code: name, disposition: 'halt', hint, cause });
  switch (code) {
    case 'EADDRINUSE':
      return refuse(
        'port-in-use',
        `port ${wanted} on ${host} is in use`,
        'choose another with --port, or --port 0 for any free one',
      );
    case 'EACCES':
      return refuse('port-denied', `port ${wanted} needs more rights`, 'choose one above 1023');
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return refuse('host-unknown', `${host} is no address of this machine`, 'correct --host');
    default:
      return null;
  }
}
