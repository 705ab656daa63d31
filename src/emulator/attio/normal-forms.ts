import type { Fields } from '../kernel/fields.ts';

const EMAIL = /^([^\s@"]+)@([^\s@]+\.[^\s@.]+)$/;

/** Lower case, with its parts; null for what is no address. */
export function emailAddress(text: string): Fields | null {
  const address = text.trim().toLowerCase();
  const [, local = '', host = ''] = EMAIL.exec(address) ?? [];
  if (local === '') return null;
  return {
    original_email_address: text,
    email_address: address,
    email_domain: host,
    email_root_domain: rootDomain(host),
    email_local_specifier: local,
  };
}

/** The host, of a URL as well; null for what names none. */
export function domain(text: string): Fields | null {
  const trimmed = text.trim().toLowerCase();
  const url = /^[a-z][a-z0-9+.-]*:\/\//.test(trimmed) ? trimmed : `http://${trimmed}`;
  if (!URL.canParse(url)) return null;
  const { hostname } = new URL(url);
  if (!/^[^\s.]+(\.[^\s.]+)+$/.test(hostname)) return null;
  return { domain: hostname.replace(/^www\./, ''), root_domain: rootDomain(hostname) };
}

function rootDomain(host: string): string {
  return host.split('.').slice(-2).join('.');
}

const COUNTRIES: readonly (readonly [prefix: string, country: string, national: string])[] = [
  ['+1', 'US', ''],
  ['+44', 'GB', '0'],
  ['+49', 'DE', '0'],
  ['+33', 'FR', '0'],
  ['+47', 'NO', ''],
  ['+61', 'AU', '0'],
  ['+91', 'IN', '0'],
];

/** E.164; null for what is no number, or has neither a `+` nor a country. */
export function phoneNumber(text: string, country: string | null): Fields | null {
  const digits = text.replace(/[\s().\-/]/g, '');
  const known = COUNTRIES.find(([, code]) => code === country);
  const number = digits.startsWith('+')
    ? digits
    : known && `${known[0]}${digits.replace(new RegExp(`^${known[2]}`), '')}`;
  if (number === undefined || !/^\+[1-9]\d{6,14}$/.test(number)) return null;
  const found = COUNTRIES.find(([prefix]) => number.startsWith(prefix));
  return {
    original_phone_number: text,
    phone_number: number,
    country_code: country ?? found?.[1] ?? null,
  };
}

/** A string means `Last, First`; without a comma all of it is the first name. */
export function personalName(text: string): Fields {
  const [last = '', first] = text.split(/,\s*/, 2);
  const name = first === undefined ? [text.trim(), ''] : [first.trim(), last.trim()];
  const [firstName = '', lastName = ''] = name;
  return {
    first_name: firstName,
    last_name: lastName,
    full_name: `${firstName} ${lastName}`.trim(),
  };
}

export const LOCATION_KEYS = [
  'line_1',
  'line_2',
  'line_3',
  'line_4',
  'locality',
  'region',
  'postcode',
  'country_code',
  'latitude',
  'longitude',
] as const;
