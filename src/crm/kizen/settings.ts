import type { Setting, SettingNames } from '../adapter.ts';
import { checkHeaderValue, checkWebUrl, tidyUrl } from '../wire/setting-checks.ts';

export const SETTINGS: readonly Setting[] = [
  {
    key: 'apiKey',
    variable: 'KIZEN_API_KEY',
    secret: true,
    required: true,
    check: checkHeaderValue,
  },
  // Neither is secret: both stand in addresses of the app.
  { key: 'userId', variable: 'KIZEN_USER_ID', required: true, check: checkHeaderValue },
  { key: 'businessId', variable: 'KIZEN_BUSINESS_ID', required: true, check: checkHeaderValue },
  {
    key: 'apiUrl',
    variable: 'KIZEN_API_URL',
    default: 'https://app.go.kizen.com/api',
    check: checkWebUrl,
    tidy: tidyUrl,
  },
];

/** What settings are called where nobody says otherwise. */
export const VARIABLES: SettingNames = Object.fromEntries(
  SETTINGS.map(({ key, variable }) => [key, variable]),
);
