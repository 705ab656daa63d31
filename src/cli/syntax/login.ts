import type { Command } from 'commander';
import type { CommonOptions, Shell } from '../shell.ts';

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
    .action((options: CommonOptions) =>
      shell.run(options, 'lines', async (context) => {
        const { signIn } = await import('../commands/login-command.ts');
        return await signIn(context);
      }),
    );
}
