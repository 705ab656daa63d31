import type { DemoRoom, Emulated, RoomOptions } from '../kernel/room.ts';
import type { Emulator } from './emulator.ts';
import { clarifySwitches } from './switches.ts';

export const clarifyRoom: DemoRoom = {
  name: 'clarify',
  title: 'Clarify',
  flags: [
    { flags: '--access-token <token>', about: 'an OAuth access token to accept as `Bearer`' },
    { flags: '--workspace <slug>', about: 'the slug of the workspace', initial: 'demo' },
    {
      flags: '--dialect <dialect>',
      about: 'which API it speaks',
      choices: ['current', 'classic'],
      initial: 'current',
    },
  ],
  sizes: {
    people: 'person',
    companies: 'company',
    deals: 'deal',
    tasks: 'task',
    meetings: 'meeting',
    messages: 'message',
    projects: 'c_project',
  },
  switches: clarifySwitches,
  examples: [
    'clarify-sync emulator --people 10000 --switch dateFilters=days',
    `curl localhost:8470/_emulator/faults -d '{"kind":"status","status":503,"count":3}'`,
  ],
  async start({ flags = {}, switches = {}, ...options }: RoomOptions) {
    const { startEmulator } = await import('./emulator.ts');
    const dialect = flags['dialect'] === 'classic' ? 'classic' : 'current';
    const emulator = await startEmulator({
      ...options,
      dialect,
      accessToken: flags['access-token'],
      workspace: flags['workspace'],
      switches,
    });
    return emulated(emulator, dialect);
  },
  async startDemo({ onRequest }) {
    const { startEmulator } = await import('./emulator.ts');
    const { demoScript, demoSizes } = await import('./demo.ts');
    const emulator = await startEmulator({ sizes: demoSizes, onRequest });
    const { store } = emulator;
    const records = store.objects().reduce((sum, object) => sum + store.count(object), 0);
    return { emulated: emulated(emulator, 'current'), records, script: demoScript(store) };
  },
};

function emulated(emulator: Emulator, dialect: string): Emulated {
  const { url, adminUrl, workspace, apiKey, oauth, stop } = emulator;
  return {
    url,
    adminUrl,
    is: `a Clarify workspace (${dialect})`,
    variables: {
      CLARIFY_API_URL: url,
      CLARIFY_API_KEY: apiKey,
      CLARIFY_WORKSPACE: workspace,
    },
    otherwise: {
      about: 'to sign in by `clarify-sync login` instead, without the key',
      variables: {
        CLARIFY_OAUTH_CLIENT_ID: oauth.clientId,
        CLARIFY_OAUTH_AUTHORIZE_URL: oauth.authorizeUrl,
        CLARIFY_OAUTH_TOKEN_URL: oauth.tokenUrl,
      },
    },
    document: { url, adminUrl, workspace, apiKey, oauth },
    stop,
  };
}
