/** E.164; null for what is no number. Ten digits without a country are of North America. */
export function phoneNumber(text: string): string | null {
  const digits = text.trim().replace(/[\s().\-/]/g, '');
  const number = digits.startsWith('+')
    ? digits
    : /^1?[2-9]\d{9}$/.test(digits)
      ? `+1${digits.slice(-10)}`
      : null;
  return number !== null && /^\+[1-9]\d{6,14}$/.test(number) ? number : null;
}

export function isEmail(text: string): boolean {
  return /^[^\s@"<>()]+@[^\s@.<>()]+(?:\.[^\s@.<>()]+)+$/.test(text);
}

const ZONE = /^(?:UTC|[A-Z][\w+-]*(?:\/[\w+-]+)+)$/;

/** Newer names and aliases as well, of which `Intl.supportedValuesOf` knows nothing. */
export function isZone(text: string): boolean {
  try {
    return ZONE.test(text) && Intl.DateTimeFormat('en-US', { timeZone: text }) !== null;
  } catch {
    return false;
  }
}

/** The lower case in which two names or addresses are one. */
export function keyText(text: string): string {
  return text.trim().toLowerCase();
}
