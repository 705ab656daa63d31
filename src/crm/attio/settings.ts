import type { Setting, SettingNames } from '../adapter.ts';
import { checkHeaderValue, checkWebUrl, tidyUrl } from '../wire/setting-checks.ts';

export const SETTINGS: readonly Setting[] = [
  {
    key: 'apiKey',
    variable: 'ATTIO_API_KEY',
    secret: true,
    required: true,
    check: checkHeaderValue,
  },
  {
    key: 'apiUrl',
    variable: 'ATTIO_API_URL',
    default: 'https://api.attio.com',
    check: checkWebUrl,
    tidy: tidyUrl,
  },
];

/** What settings are called where nobody says otherwise. */
export const VARIABLES: SettingNames = Object.fromEntries(
  SETTINGS.map(({ key, variable }) => [key, variable]),
);
