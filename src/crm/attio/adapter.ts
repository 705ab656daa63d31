import type { Adapter } from '../adapter.ts';
import { SETTINGS } from './settings.ts';
import { TITLE } from './title.ts';

export const attio: Adapter = {
  name: 'attio',
  title: TITLE,
  settings: SETTINGS,
  tellsPast: true,
  async hooks() {
    const { hookCalls } = await import('./hook-calls.ts');
    return hookCalls;
  },
  // Not with the settings: a command that asks nothing need not load what asks.
  async open(settings, { names, allowancePercent, log, buffers }) {
    const { createAttioRemote } = await import('./remote.ts');
    return createAttioRemote({
      baseUrl: settings['apiUrl'] ?? '',
      apiKey: settings['apiKey'] ?? '',
      names,
      allowancePercent,
      log,
      buffers,
    });
  },
};
