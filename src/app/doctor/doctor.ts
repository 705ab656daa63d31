import { type Config, describeUnknown } from '../config/config.ts';
import type { Check, DoctorOptions } from './check.ts';
import { checkDatabase } from './database.ts';
import { checkRemote } from './remote.ts';
import { forgetWebhook } from './webhook.ts';

/**
 * Looks at everything the service depends on, each on its own: one thing that is broken hides
 * none of the others. Changes nothing, unless asked to adopt, or to have a webhook forgotten.
 */
export async function runDoctor(config: Config, options: DoctorOptions): Promise<readonly Check[]> {
  const forgotten = options.forgetWebhook === true ? [await forgetWebhook(config, options)] : [];
  // First, for what the workspace has decides what the database must have room for.
  const remote = await checkRemote(config, options);
  return [
    checkConfiguration(config),
    ...forgotten,
    ...(await checkDatabase(config, options, remote)),
    ...remote.checks,
  ];
}

function checkConfiguration(config: Config): Check {
  const { crm, schema } = config;
  const valid = `valid, ${crm.title} in schema ${schema}, push ${config.push ? 'on' : 'off'}`;
  const [unknown] = config.unknownVariables;
  return unknown === undefined
    ? { name: 'configuration', state: 'ok', detail: valid, hint: null }
    : {
        name: 'configuration',
        state: 'warn',
        detail: `${valid}; not a setting: ${config.unknownVariables.join(', ')}`,
        hint: `correct or remove it: ${describeUnknown(unknown)}`,
      };
}
