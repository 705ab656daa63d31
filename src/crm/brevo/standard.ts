/** Objects that every account has: everything else is a custom object, and has to be declared. */
export const CONTACTS = 'contacts';
export const COMPANIES = 'companies';
export const DEALS = 'deals';

export type CrmObject = typeof COMPANIES | typeof DEALS;

/** What the object calls say for ours: one of them, where associations are meant. */
const TYPES: Readonly<Record<string, string>> = {
  [CONTACTS]: 'contact',
  [COMPANIES]: 'company',
  [DEALS]: 'deal',
};

/** @returns the name that associations have for an object of ours. */
export function typeOf(object: string): string {
  return TYPES[object] ?? object;
}

export function isStandard(object: string): boolean {
  return Object.hasOwn(TYPES, object);
}

/** The object of ours that somebody means who uses the API's own word for it; null where none. */
export function meantBy(type: string): string | null {
  const found = Object.entries(TYPES).find(([, one]) => one === type);
  return found?.[0] ?? null;
}
