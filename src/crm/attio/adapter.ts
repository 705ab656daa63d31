import type { Adapter } from '../adapter.ts';
import { TITLE } from './api.ts';
import { hookCalls } from './hook-calls.ts';
import { SETTINGS } from './settings.ts';

export const attio: Adapter = {
  name: 'attio',
  title: TITLE,
  settings: SETTINGS,
  hooks: hookCalls,
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
