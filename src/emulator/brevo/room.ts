import type { DemoRoom, Emulated, RoomOptions } from '../kernel/room.ts';
import type { BrevoEmulator } from './emulator.ts';
import { brevoSwitches, tiers } from './switches.ts';

export const brevoRoom: DemoRoom = {
  name: 'brevo',
  title: 'Brevo',
  flags: [
    {
      flags: '--tier <tier>',
      about: 'how much may be asked in an hour',
      choices: Object.keys(tiers),
    },
  ],
  sizes: {
    contacts: 'contacts',
    companies: 'companies',
    deals: 'deals',
    vehicles: 'vehicle',
    trips: 'trip',
  },
  switches: brevoSwitches,
  examples: [
    'clarify-sync emulator --crm brevo --vehicles 1000 --switch othersPerHour=10000',
    `curl localhost:8470/_emulator/faults -d '{"kind":"status","status":425,"method":"POST","count":1}'`,
  ],
  async start({ flags = {}, switches, ...options }: RoomOptions) {
    const { startBrevo } = await import('./emulator.ts');
    const [, rates = {}] = Object.entries(tiers).find(([name]) => name === flags['tier']) ?? [];
    const emulator = await startBrevo({
      ...options,
      switches: { ...rates, ...switches },
    });
    return emulated(emulator);
  },
  async startDemo({ onRequest }) {
    const { startBrevo } = await import('./emulator.ts');
    const { demoScript, demoSizes, demoSwitches } = await import('./demo.ts');
    const emulator = await startBrevo({ sizes: demoSizes, switches: demoSwitches, onRequest });
    const { store } = emulator;
    const records = store.objects().reduce((sum, object) => sum + store.count(object), 0);
    return { emulated: emulated(emulator), records, script: demoScript(store) };
  },
};

function emulated({ url, adminUrl, apiKey, stop }: BrevoEmulator): Emulated {
  return {
    url,
    adminUrl,
    is: 'a Brevo account',
    variables: { BREVO_API_URL: url, BREVO_API_KEY: apiKey },
    otherwise: null,
    document: { url, adminUrl, apiKey },
    stop,
  };
}
