import type { Setting, SettingNames } from '../adapter.ts';
import { checkHeaderValue, checkWebUrl, tidyUrl } from '../wire/setting-checks.ts';

const SLUG = /^[A-Za-z0-9][A-Za-z0-9._~-]*$/;

export const SETTINGS: readonly Setting[] = [
  {
    key: 'apiKey',
    variable: 'CLARIFY_API_KEY',
    secret: true,
    required: true,
    check: checkHeaderValue,
  },
  {
    key: 'workspace',
    variable: 'CLARIFY_WORKSPACE',
    required: true,
    check: (value) =>
      SLUG.test(value) ? null : 'must be the slug in the address of your workspace',
  },
  {
    key: 'apiUrl',
    variable: 'CLARIFY_API_URL',
    default: 'https://api.clarify.ai/v1',
    check: checkWebUrl,
    tidy: tidyUrl,
  },
  { key: 'tokens', variable: 'CLARIFY_OAUTH_TOKENS', default: '.clarify-sync/tokens.json' },
  { key: 'clientId', variable: 'CLARIFY_OAUTH_CLIENT_ID' },
  {
    key: 'authorizeUrl',
    variable: 'CLARIFY_OAUTH_AUTHORIZE_URL',
    default: 'https://auth1.clarify.ai/oauth2/authorize',
    check: checkWebUrl,
  },
  {
    key: 'tokenUrl',
    variable: 'CLARIFY_OAUTH_TOKEN_URL',
    default: 'https://auth1.clarify.ai/oauth2/token',
    check: checkWebUrl,
  },
  {
    key: 'redirectPort',
    variable: 'CLARIFY_OAUTH_PORT',
    default: '0',
    check: (value) =>
      /^\d{1,5}$/.test(value) && Number(value) <= 65_535
        ? null
        : 'must be a port, such as 8461, or 0 for any free one',
  },
];

/** What each is called where it came from the environment. */
export const VARIABLES: SettingNames = Object.fromEntries(
  SETTINGS.map(({ key, variable }) => [key, variable] as const),
);
