import type { Command } from 'commander';
import { UsageError } from '../../domain/errors.ts';
import type { Report } from '../report.ts';
import type { CommandContext, CommonOptions, Shell } from '../shell.ts';

export function addLogin(program: Command, shell: Shell): void {
  program
    .command('login')
    .summary('signs in by OAuth, for partner apps that have no API key')
    .description(
      'Prints an address to open in a browser on this machine, waits up to five minutes for the browser to come back, and keeps the tokens in a file that only you can read. Every other command uses them where CLARIFY_API_KEY is not set.',
    )
    .option('--json', 'JSON lines on standard output: the address, then the result')
    .addHelpText('after', '\nExample:\n  CLARIFY_OAUTH_CLIENT_ID=… clarify-sync login')
    .action((options: CommonOptions) => shell.run(options, 'lines', run));
}

async function run(context: CommandContext): Promise<Report> {
  const { login: settings, clarify } = await context.config({ remote: false });
  const { clientId } = settings;
  if (clientId === null) {
    throw new UsageError(
      ['CLARIFY_OAUTH_CLIENT_ID is not set'],
      'set it to the client id of your app; docs/configuration.md tells more',
    );
  }
  const { out, err } = context.terminal;
  const { login } = await import('../../clarify/oauth/login.ts');
  const result = await login({
    ...settings,
    clientId,
    signal: context.signal,
    onAddress(url) {
      if (context.json) out.write(`${JSON.stringify({ type: 'open', url })}\n`);
      else err.write(`Open this address in a browser on this machine:\n\n  ${url}\n\nWaiting…\n`);
    },
  });
  const { path } = settings;
  const ends = result.renewable
    ? 'renewed by itself'
    : `ends ${result.expiresAtMs === null ? 'some time' : new Date(result.expiresAtMs).toISOString()}, for the server gives no refresh token`;
  return {
    json: { tokens: path, expiresAtMs: result.expiresAtMs, renewable: result.renewable },
    text: [`signed in; the tokens are in ${path}, ${ends}`],
    exitCode: 0,
    next:
      clarify.apiKey === null
        ? 'set CLARIFY_WORKSPACE and run `clarify-sync doctor`'
        : 'unset CLARIFY_API_KEY: as long as it is set, it is used instead',
  };
}
