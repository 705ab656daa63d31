import type { Command } from 'commander';
import { UsageError } from '../../domain/errors.ts';
import type { Report } from '../report.ts';
import type { CommandContext, CommonOptions, Shell } from '../shell.ts';

export function addLogin(program: Command, shell: Shell): void {
  const { title, login, settings } = shell.crm;
  const variableOf = (wanted: string | undefined) =>
    settings.find(({ key }) => key === wanted)?.variable ?? '';
  const key = variableOf(login?.insteadOf ?? 'apiKey');
  program
    .command('login')
    .summary('signs in by OAuth, for partner apps that have no API key')
    .description(
      login === undefined
        ? `${title} knows no login: set ${key}.`
        : `Prints an address to open in a browser on this machine, waits up to five minutes for the browser to come back, and keeps the tokens in a file that only you can read. Every other command uses them where ${key} is not set.`,
    )
    .option('--json', 'JSON lines on standard output: the address, then the result')
    .addHelpText(
      'after',
      login === undefined ? '' : `\nExample:\n  ${variableOf(login.needs)}=… clarify-sync login`,
    )
    .action((options: CommonOptions) => shell.run(options, 'lines', run));
}

async function run(context: CommandContext): Promise<Report> {
  const { crm, settings, names, access } = await context.config({ remote: false });
  const { login } = crm;
  if (login === undefined) {
    throw new UsageError(
      [`${crm.title} knows no login`],
      `set ${names['apiKey']}; docs/configuration.md tells more`,
    );
  }
  if (settings[login.needs] == null) {
    throw new UsageError(
      [`${names[login.needs]} is not set`],
      'set it to the client id of your app; docs/configuration.md tells more',
    );
  }
  const { out, err } = context.terminal;
  const result = await login.signIn(settings, {
    names,
    signal: context.signal,
    onAddress(url) {
      if (context.json) out.write(`${JSON.stringify({ type: 'open', url })}\n`);
      else err.write(`Open this address in a browser on this machine:\n\n  ${url}\n\nWaiting…\n`);
    },
  });
  const path = settings[login.file];
  const ends = result.renewable
    ? 'renewed by itself'
    : `ends ${result.expiresAtMs === null ? 'some time' : new Date(result.expiresAtMs).toISOString()}, for the server gives no refresh token`;
  const key = names[login.insteadOf];
  return {
    json: { tokens: path, expiresAtMs: result.expiresAtMs, renewable: result.renewable },
    text: [`signed in; the tokens are in ${path}, ${ends}`],
    exitCode: 0,
    next:
      access === 'api-key'
        ? `unset ${key}: as long as it is set, it is used instead`
        : `set ${names['workspace']} and run \`clarify-sync doctor\``,
  };
}
