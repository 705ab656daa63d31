import type { DemoRoom, Emulated, RoomOptions } from '../kernel/room.ts';
import type { AttioEmulator } from './emulator.ts';
import { attioSwitches } from './switches.ts';

export const attioRoom: DemoRoom = {
  name: 'attio',
  title: 'Attio',
  flags: [],
  sizes: { people: 'people', companies: 'companies', deals: 'deals', projects: 'projects' },
  switches: attioSwitches,
  examples: [
    'clarify-sync emulator --crm attio --people 1000 --switch visibilityDelayMs=5000',
    `curl localhost:8470/_emulator/faults -d '{"kind":"status","status":429,"retryAfter":1,"count":3}'`,
  ],
  async start(options: RoomOptions) {
    const { startAttio } = await import('./emulator.ts');
    return emulated(await startAttio(options));
  },
  async startDemo({ onRequest }) {
    const { startAttio } = await import('./emulator.ts');
    const { demoScript, demoSizes } = await import('./demo.ts');
    // The service of a demo has no certificate.
    const switches = { webhookTargets: 'any' } as const;
    const emulator = await startAttio({ sizes: demoSizes, switches, onRequest });
    const { store } = emulator;
    const records = store.objects().reduce((sum, object) => sum + store.count(object), 0);
    return { emulated: emulated(emulator), records, script: demoScript(store) };
  },
};

function emulated({ url, adminUrl, apiKey, stop }: AttioEmulator): Emulated {
  return {
    url,
    adminUrl,
    is: 'an Attio workspace',
    variables: { ATTIO_API_URL: url, ATTIO_API_KEY: apiKey },
    otherwise: null,
    document: { url, adminUrl, apiKey },
    stop,
  };
}
