import { type Command, InvalidArgumentError, Option } from 'commander';
import { SyncError } from '../../domain/errors.ts';
import type { Emulator } from '../../emulator/emulator.ts';
import { type Dialect, parseSwitch, type Switches, switchNames } from '../../emulator/switches.ts';
import type { Report } from '../report.ts';
import type { CommandContext, CommonOptions, Shell } from '../shell.ts';
import { untilAborted } from '../until-aborted.ts';

interface EmulatorFlags extends CommonOptions {
  readonly host: string;
  readonly port: number;
  readonly key: string;
  readonly accessToken?: string;
  readonly workspace: string;
  readonly dialect: Dialect;
  readonly seed: string;
  readonly latency?: number;
  readonly empty?: boolean;
  readonly switch?: Partial<Switches>;
  readonly people?: number;
  readonly companies?: number;
  readonly deals?: number;
  readonly tasks?: number;
  readonly meetings?: number;
  readonly messages?: number;
  readonly projects?: number;
}

/** Flags for how many sample records there are. */
const SIZES = [
  ['people', 'person'],
  ['companies', 'company'],
  ['deals', 'deal'],
  ['tasks', 'task'],
  ['meetings', 'meeting'],
  ['messages', 'message'],
  ['projects', 'c_project'],
] as const;

export function addEmulator(program: Command, shell: Shell): void {
  const command = program
    .command('emulator')
    .summary('a local Clarify workspace over HTTP')
    .description(
      'A Clarify workspace in memory, over real HTTP, with sample records that are the same for the same seed. Prints what to set to use it, and serves until Ctrl-C.',
    )
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on, 0 for any free one', port, 8470)
    .option('--key <key>', 'the API key to accept', 'demo-key')
    .option('--access-token <token>', 'an OAuth access token to accept as `Bearer`')
    .option('--workspace <slug>', 'the slug of the workspace', 'demo')
    .addOption(
      new Option('--dialect <dialect>', 'which API it speaks')
        .choices(['current', 'classic'])
        .default('current'),
    )
    .option('--seed <seed>', 'same seed, same sample records', '1')
    .option('--latency <ms>', 'every answer waits this long', count)
    .option('--empty', 'no sample records');
  for (const [flag] of SIZES) command.option(`--${flag} <n>`, `how many sample ${flag}`, count);
  command
    .option('--switch <name=value>', 'a switch as below; may be repeated', toSwitches)
    .option('--json', 'one JSON document on standard output once it serves')
    .addHelpText('after', help)
    .action((flags: EmulatorFlags) =>
      shell.run(flags, 'document', (context) => serve(context, flags)),
    );
}

function help(): string {
  const width = Math.max(...switchNames.map(({ name }) => name.length));
  const switches = switchNames.map(
    ({ name, takes, about }) => `  ${name.padEnd(width)}  ${about} (${takes})`,
  );
  return [
    '',
    'Switches:',
    ...switches,
    '',
    'Faults, and what people do in the app, come through POST /_emulator/… on the same port;',
    'docs/emulator.md has them all.',
    '',
    'Example:',
    '  clarify-sync emulator --people 10000 --switch dateFilters=days',
    `  curl localhost:8470/_emulator/faults -d '{"kind":"status","status":503,"count":3}'`,
  ].join('\n');
}

/** Says where it is once it serves, so that nothing is left to report at the end. */
async function serve(context: CommandContext, flags: EmulatorFlags): Promise<Report | null> {
  const emulator = await start(flags);
  try {
    const { url, adminUrl, workspace, apiKey, oauth } = emulator;
    const { out, err } = context.terminal;
    if (flags.json === true) {
      out.write(`${JSON.stringify({ url, adminUrl, workspace, apiKey, oauth, next: null })}\n`);
    } else {
      out.write(
        `# a Clarify workspace (${flags.dialect}); to act as a person in the app: ${adminUrl}\n` +
          `export CLARIFY_API_URL=${url}\n` +
          `export CLARIFY_API_KEY=${apiKey}\n` +
          `export CLARIFY_WORKSPACE=${workspace}\n` +
          '# to sign in by `clarify-sync login` instead, without the key:\n' +
          `export CLARIFY_OAUTH_CLIENT_ID=${oauth.clientId}\n` +
          `export CLARIFY_OAUTH_AUTHORIZE_URL=${oauth.authorizeUrl}\n` +
          `export CLARIFY_OAUTH_TOKEN_URL=${oauth.tokenUrl}\n`,
      );
      err.write('→ set these in another terminal and run `clarify-sync sync`; Ctrl-C ends it\n');
    }
    await untilAborted(context.signal);
  } finally {
    await emulator.stop();
  }
  return null;
}

async function start(flags: EmulatorFlags): Promise<Emulator> {
  const sizes = Object.fromEntries(
    SIZES.flatMap(([flag, object]) => {
      const size = flags[flag];
      return size === undefined ? [] : [[object, size]];
    }),
  );
  const latency = flags.latency === undefined ? {} : { latencyMs: flags.latency };
  const { startEmulator } = await import('../../emulator/emulator.ts');
  try {
    return await startEmulator({
      host: flags.host,
      port: flags.port,
      apiKey: flags.key,
      accessToken: flags.accessToken,
      workspace: flags.workspace,
      dialect: flags.dialect,
      seed: flags.seed,
      sizes: flags.empty === true ? 'none' : sizes,
      switches: { ...flags.switch, ...latency },
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

function toSwitches(text: string, before: Partial<Switches> = {}): Partial<Switches> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It is not of the form name=value.');
  try {
    return { ...before, ...parseSwitch(text.slice(0, at), text.slice(at + 1)) };
  } catch (error) {
    throw new InvalidArgumentError(error instanceof RangeError ? error.message : 'Unknown switch.');
  }
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
