import { ExactNumber } from '../../domain/json.ts';

const DIGITS = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/**
 * A number as DECIMAL(16,4) keeps it: rounded to four decimals, half away from zero. Null where
 * more than twelve digits would stand before the point, or the text is no number.
 */
export function fixedNumber(text: string): number | ExactNumber | null {
  const match = DIGITS.exec(text);
  if (match === null) return null;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const shift = Number(exponent);
  if (Math.abs(shift) > 400) return /^0*$/.test(whole + fraction) || shift < 0 ? 0 : null;
  // Ten-thousandths: the digits, their point moved by the exponent and four more places.
  const places = fraction.length - shift - 4;
  const digits = BigInt(whole + fraction);
  const scaled = places <= 0 ? digits * 10n ** BigInt(-places) : rounded(digits, places);
  if (scaled >= 10n ** 16n) return null;
  const padded = scaled.toString().padStart(5, '0');
  const decimals = padded.slice(-4).replace(/0+$/, '');
  const plain = `${padded.slice(0, -4)}${decimals === '' ? '' : `.${decimals}`}`;
  const signed = scaled === 0n ? '0' : `${sign}${plain}`;
  return String(Number(signed)) === signed ? Number(signed) : new ExactNumber(signed);
}

function rounded(digits: bigint, places: number): bigint {
  const unit = 10n ** BigInt(places);
  return (digits + unit / 2n) / unit;
}
