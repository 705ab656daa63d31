import { isExactNumber, isObject, type Json } from './json.ts';

/** What a CRM makes of values that say the same in several ways: of texts, and of objects. */
export const normalForms = ['host', 'phone', 'msisdn', 'trimmed', 'person', 'place'] as const;
export type NormalForm = (typeof normalForms)[number];

const PUNCTUATION = /[\s().\-/\u2010-\u2015]/g;

/** The text in its normal form: two that have the same mean the same. */
export function normalForm(form: NormalForm, text: string): string {
  switch (form) {
    case 'host':
      // Of an address the host is kept, whatever stands around it, and of that what people go by.
      return text
        .trim()
        .toLowerCase()
        .replace(/^[a-z][a-z0-9+.-]*:\/\//, '')
        .replace(/[/?#].*$/s, '')
        .replace(/^[^@]*@/, '')
        .replace(/(?::\d+)?\.?$/, '')
        .replace(/^www\.(?=.*\.)/, '');
    case 'phone':
      // As E.164 writes it; one without a country is another number than one with it.
      return text.replace(PUNCTUATION, '');
    case 'msisdn':
      // Digits alone, the country's first, whichever way that is announced.
      return text.replace(PUNCTUATION, '').replace(/^(?:\+|00)/, '');
    case 'trimmed':
      return text.trim();
    case 'person':
    case 'place':
      return text;
  }
}

/** The value in its normal form, each item of a list by itself. */
export function normalValue(form: NormalForm, value: Json): Json {
  if (Array.isArray(value)) return value.map((item: Json) => normalValue(form, item));
  switch (form) {
    case 'person':
      return personOf(value);
    case 'place':
      return placeOf(value);
    default:
      return value;
  }
}

/** A text is `Last, First`, or a first name; of three parts the one that is not given is the others'. */
function personOf(value: Json): Json {
  if (typeof value === 'string') {
    const [last = '', first] = value.split(/,\s*/, 2).map((part) => part.trim());
    const [first_name, last_name] = first === undefined ? [last, ''] : [first, last];
    return personOf({ first_name, last_name });
  }
  if (!isObject(value) || isExactNumber(value)) return value;
  const { first_name: first, last_name: last, full_name: full, ...others } = value;
  const parts = [first, last].map((part) => (typeof part === 'string' ? part : ''));
  const [first_name = '', last_name = ''] = parts;
  const full_name = typeof full === 'string' ? full : parts.filter(Boolean).join(' ');
  return { ...others, first_name, last_name, full_name };
}

/** Parts without a value are as good as none, and coordinates are texts or numbers. */
function placeOf(value: Json): Json {
  if (!isObject(value) || isExactNumber(value)) return value;
  const parts = Object.entries(value).filter(([, part]) => part !== null && part !== '');
  return Object.fromEntries(
    parts.map(([name, part]) => [
      name,
      typeof part === 'number' || isExactNumber(part) ? String(part) : part,
    ]),
  );
}
