import { InvalidArgumentError } from 'commander';

/** The id of an outbox entry or a conflict, as a list shows it. */
export function entryId(text: string): bigint {
  if (/^\d{1,18}$/.test(text)) return BigInt(text);
  throw new InvalidArgumentError('It is no id such as 42.');
}

export function entryIds(text: string, before: readonly bigint[] = []): readonly bigint[] {
  return [...before, entryId(text)];
}

const MOST_SHOWN = 100_000;

/** How many entries a list shows. */
export function listLimit(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= MOST_SHOWN) return number;
  throw new InvalidArgumentError(`It is no whole number from 1 to ${MOST_SHOWN}.`);
}
