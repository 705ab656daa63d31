import type { Config } from '../config/config.ts';
import type { Check, DoctorOptions } from './check.ts';
import { checkDatabase } from './database.ts';
import { checkRemote } from './remote.ts';

/**
 * Looks at everything the service depends on, each on its own: one thing that is broken hides
 * none of the others. Changes nothing, unless asked to adopt.
 */
export async function runDoctor(config: Config, options: DoctorOptions): Promise<readonly Check[]> {
  // First, for what the workspace has decides what the database must have room for.
  const remote = await checkRemote(config, options);
  return [
    checkConfiguration(config),
    ...(await checkDatabase(config, options, remote.schemas)),
    ...remote.checks,
  ];
}

function checkConfiguration(config: Config): Check {
  const push = `push ${config.push ? 'on' : 'off'}`;
  const [unknown] = config.unknownVariables;
  return unknown === undefined
    ? { name: 'configuration', state: 'ok', detail: `valid, ${push}`, hint: null }
    : {
        name: 'configuration',
        state: 'warn',
        detail: `valid, ${push}; not a setting: ${config.unknownVariables.join(', ')}`,
        hint: `correct or remove ${unknown}`,
      };
}
