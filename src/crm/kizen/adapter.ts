import type { Adapter } from '../adapter.ts';
import { SETTINGS } from './settings.ts';
import { TITLE } from './title.ts';

export const kizen: Adapter = {
  name: 'kizen',
  title: TITLE,
  settings: SETTINGS,
  // Not with the settings: a command that asks nothing need not load what asks.
  async open(settings, { names, allowancePercent, log, buffers }) {
    const { createKizenRemote } = await import('./remote.ts');
    return createKizenRemote({
      baseUrl: settings['apiUrl'] ?? '',
      apiKey: settings['apiKey'] ?? '',
      userId: settings['userId'] ?? '',
      businessId: settings['businessId'] ?? '',
      names,
      allowancePercent,
      log,
      buffers,
    });
  },
};
