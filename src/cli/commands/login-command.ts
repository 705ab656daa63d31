import { UsageError } from '../../domain/errors.ts';
import type { Report } from '../report.ts';
import type { CommandContext } from '../shell.ts';

export async function signIn(context: CommandContext): Promise<Report> {
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
