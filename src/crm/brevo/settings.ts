import type { Setting, SettingNames } from '../adapter.ts';
import { checkHeaderValue, checkWebUrl, tidyUrl } from '../wire/setting-checks.ts';

export const SETTINGS: readonly Setting[] = [
  {
    key: 'apiKey',
    variable: 'BREVO_API_KEY',
    secret: true,
    required: true,
    check: checkHeaderValue,
  },
  {
    key: 'apiUrl',
    variable: 'BREVO_API_URL',
    default: 'https://api.brevo.com/v3',
    check: checkWebUrl,
    tidy: tidyUrl,
  },
];

/** What settings are called where nobody says otherwise. */
export const VARIABLES: SettingNames = Object.fromEntries(
  SETTINGS.map(({ key, variable }) => [key, variable]),
);
