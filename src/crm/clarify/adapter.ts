import type { Adapter, SettingNames, Settings } from '../adapter.ts';
import type { CredentialsProvider } from '../wire/credentials.ts';
import type { OAuthNames } from '../wire/oauth/oauth-names.ts';
import { isReadable } from '../wire/setting-checks.ts';
import { SETTINGS } from './settings.ts';
import { TITLE } from './title.ts';

/** The last one is what yields a refresh token. */
const SCOPE = 'openid profile email offline_access';

export const clarify: Adapter = {
  name: 'clarify',
  title: TITLE,
  settings: SETTINGS,
  tellsPast: true,
  check({ tokenUrl, apiUrl }, names) {
    if (!isReadable(tokenUrl ?? '') || isReadable(apiUrl ?? '')) return [];
    return [`${names['tokenUrl']} must be https: whoever listens would have the tokens`];
  },
  sides: ['setting', 'list', 'list_member', 'campaign_recipient', 'attachment', 'comment'],
  // Not with the settings: a command that asks nothing need not load what asks.
  async open(settings, { names, allowancePercent, log, buffers }) {
    const { createClarifyRemote } = await import('./remote.ts');
    return createClarifyRemote({
      baseUrl: text(settings, 'apiUrl'),
      workspace: text(settings, 'workspace'),
      apiKey: settings['apiKey'] ?? (await signedIn(settings, names)),
      names,
      allowancePercent,
      log,
      buffers,
    });
  },
  login: {
    insteadOf: 'apiKey',
    file: 'tokens',
    needs: 'clientId',
    async signIn(settings, { names, signal, onAddress }) {
      const { login } = await import('../wire/oauth/login.ts');
      return await login({
        clientId: text(settings, 'clientId'),
        authorizeUrl: text(settings, 'authorizeUrl'),
        tokenUrl: text(settings, 'tokenUrl'),
        port: Number(settings['redirectPort']),
        path: text(settings, 'tokens'),
        scope: SCOPE,
        names: oauth(names),
        signal,
        onAddress,
      });
    },
  },
};

async function signedIn(settings: Settings, names: SettingNames): Promise<CredentialsProvider> {
  const { oauthCredentials } = await import('../wire/oauth/oauth-credentials.ts');
  return oauthCredentials({ path: text(settings, 'tokens'), names: oauth(names) });
}

function text(settings: Settings, key: string): string {
  return settings[key] ?? '';
}

function oauth(names: SettingNames): OAuthNames {
  return {
    key: names['apiKey'] ?? '',
    file: names['tokens'] ?? '',
    clientId: names['clientId'] ?? '',
    tokenUrl: names['tokenUrl'] ?? '',
    port: names['redirectPort'] ?? '',
  };
}
