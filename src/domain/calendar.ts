const ZERO = 48;
/** So far below zero that no further digits make up for it. */
const NO_NUMBER = -1_000_000;
const DAY_MS = 86_400_000;
/** Days from the first of January of year 1 to that of 1970. */
const EPOCH_DAY = 719_162;
/** Days of a common year before the month. */
const DAYS_BEFORE = [0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

/** The number that two digits stand for; far below zero where there is anything else. */
export function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - ZERO;
  const ones = text.charCodeAt(at + 1) - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NO_NUMBER;
}

/** Whether the calendar has the day, in years 1 to 9999. */
export function isDay(year: number, month: number, day: number): boolean {
  return year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month);
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return isLeap(year) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/**
 * Epoch milliseconds of `YYYY-MM-DDTHH:MM:SS.mmmZ`, which nearly every instant looks like; NaN for
 * every other text, years before 1 and days that the calendar does not have. By hand, since
 * `Date.parse` takes February 30 for a day in March, and four times as long: a million a second
 * are read.
 */
export function canonicalInstantMs(text: string): number {
  if (
    text.length !== 24 ||
    text.charCodeAt(4) !== 45 ||
    text.charCodeAt(7) !== 45 ||
    text.charCodeAt(10) !== 84 ||
    text.charCodeAt(13) !== 58 ||
    text.charCodeAt(16) !== 58 ||
    text.charCodeAt(19) !== 46 ||
    text.charCodeAt(23) !== 90
  ) {
    return Number.NaN;
  }
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  const hour = twoDigits(text, 11);
  const minute = twoDigits(text, 14);
  const second = twoDigits(text, 17);
  // Three digits, by what two and two of them say: both hold the middle one.
  const hundredths = twoDigits(text, 20);
  const lastTwo = twoDigits(text, 21);
  const isClock = isWithin(hour, 23) && isWithin(minute, 59) && isWithin(second, 59);
  if (!isDay(year, month, day) || !isClock || hundredths < 0 || lastTwo < 0) return Number.NaN;
  const seconds = (hour * 60 + minute) * 60 + second;
  return dayNumber(year, month, day) * DAY_MS + seconds * 1000 + hundredths * 10 + (lastTwo % 10);
}

function isWithin(value: number, most: number): boolean {
  return value >= 0 && value <= most;
}

/** Days since 1970 began. */
function dayNumber(year: number, month: number, day: number): number {
  const before = year - 1;
  const leapDays = Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400);
  const ofYear = (DAYS_BEFORE[month] ?? 0) + (month > 2 && isLeap(year) ? 1 : 0) + day - 1;
  return before * 365 + leapDays + ofYear - EPOCH_DAY;
}
