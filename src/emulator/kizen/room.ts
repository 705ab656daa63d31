import type { DemoRoom, Emulated, RoomOptions } from '../kernel/room.ts';
import type { KizenEmulator } from './emulator.ts';
import { kizenSwitches } from './switches.ts';

export const kizenRoom: DemoRoom = {
  name: 'kizen',
  title: 'Kizen',
  flags: [],
  sizes: {
    contacts: 'client_client',
    companies: 'companies',
    deals: 'deals',
    projects: 'projects',
  },
  switches: kizenSwitches,
  examples: [
    'clarify-sync emulator --crm kizen --contacts 1000 --switch visibilityDelayMs=5000',
    `curl localhost:8470/_emulator/faults -d '{"kind":"status","status":409,"method":"PATCH","count":2}'`,
  ],
  async start(options: RoomOptions) {
    const { startKizen } = await import('./emulator.ts');
    return emulated(await startKizen(options));
  },
  async startDemo({ onRequest }) {
    const { startKizen } = await import('./emulator.ts');
    const { demoScript, demoSizes } = await import('./demo.ts');
    const emulator = await startKizen({ sizes: demoSizes, onRequest });
    const { store } = emulator;
    const records = store.objects().reduce((sum, object) => sum + store.count(object), 0);
    return { emulated: emulated(emulator), records, script: demoScript(store) };
  },
};

function emulated({ url, adminUrl, apiKey, userId, businessId, stop }: KizenEmulator): Emulated {
  return {
    url,
    adminUrl,
    is: 'a Kizen business',
    variables: {
      KIZEN_API_URL: url,
      KIZEN_API_KEY: apiKey,
      KIZEN_USER_ID: userId,
      KIZEN_BUSINESS_ID: businessId,
    },
    otherwise: null,
    document: { url, adminUrl, apiKey, userId, businessId },
    stop,
  };
}
