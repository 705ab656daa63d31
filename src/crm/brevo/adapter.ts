import type { Adapter } from '../adapter.ts';
import { SETTINGS } from './settings.ts';
import { TITLE } from './title.ts';

export const brevo: Adapter = {
  name: 'brevo',
  title: TITLE,
  settings: SETTINGS,
  async objects() {
    const { DIALECT } = await import('./declared.ts');
    return DIALECT;
  },
  // Not with the settings: a command that asks nothing need not load what asks.
  async open(settings, { names, objects, allowancePercent, log, buffers }) {
    const { createBrevoRemote } = await import('./remote.ts');
    return createBrevoRemote({
      baseUrl: settings['apiUrl'] ?? '',
      apiKey: settings['apiKey'] ?? '',
      names,
      objects,
      allowancePercent,
      log,
      buffers,
    });
  },
};
