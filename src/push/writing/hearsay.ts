import type { RemoteError } from '../../domain/errors.ts';
import { type Json, stringifyJson } from '../../domain/json.ts';
import type { Outgoing } from '../outgoing.ts';
import type { Sent } from '../sent.ts';

type Named = readonly [change: Outgoing, error: RemoteError];

/**
 * What a server says of records in company, and whether it says it of them alone as well. Whoever is
 * named with others may be none of those that are refused: all of a call may be named because it was given
 * up, because two of it are the same, or because together they are too many.
 */
export interface Hearsay {
  /** Said of one that is not refused so alone. */
  isDenied(...one: Named): boolean;
  /**
   * Asks about the first and the last of whom the same is said, once for all that it is said of.
   *
   * @returns those of whom it is believed; those who were asked about may be among them.
   */
  believe(named: readonly Named[]): Promise<ReadonlySet<Outgoing>>;
}

/** @param askAlone what came of one; null where nobody may be asked any more. */
export function createHearsay(askAlone: (change: Outgoing) => Promise<Sent | null>): Hearsay {
  const denied = new Set<string>();
  const verdicts = new Map<string, Promise<boolean>>();

  async function isSaidAlone(words: string, some: readonly Named[]): Promise<boolean> {
    const witnesses = new Set([some.at(0), some.at(-1)].filter((one) => one !== undefined));
    for (const [change, { field }] of witnesses) {
      const sent = await askAlone(change);
      if (sent?.kind === 'refused') {
        // In company it may leave out which field it is.
        const about = field === undefined ? undefined : sent.error.field;
        if (wordsOf(change, sent.error, about) === words) continue;
      }
      if (sent?.kind === 'refused' || sent?.kind === 'delivered') denied.add(words);
      else verdicts.delete(words);
      return false;
    }
    return true;
  }

  function judge(words: string, some: readonly Named[]): Promise<boolean> {
    const known = verdicts.get(words);
    if (known !== undefined) return known;
    const verdict = isSaidAlone(words, some);
    verdicts.set(words, verdict);
    return verdict;
  }

  return {
    isDenied: (change, error) => denied.size > 0 && denied.has(wordsOf(change, error, error.field)),
    async believe(named) {
      const byWords = new Map<string, Named[]>();
      for (const one of named) {
        const [change, error] = one;
        const words = wordsOf(change, error, error.field);
        const same = byWords.get(words);
        if (same === undefined) byWords.set(words, [one]);
        else same.push(one);
      }
      const believed = new Set<Outgoing>();
      for (const [words, some] of byWords) {
        if (await judge(words, some)) for (const [change] of some) believed.add(change);
      }
      return believed;
    },
  };
}

/** What is said, and of which field; but for the values, which are each record's own. */
function wordsOf(
  { fields }: Outgoing,
  { code, reason = '' }: RemoteError,
  field: string | undefined,
): string {
  const values = Object.values(fields).flatMap(textsIn);
  const longestFirst = values.toSorted((a, b) => b.length - a.length);
  return stringifyJson([code, field ?? null, longestFirst.reduce(without, reason)]);
}

const ENDS_IN_WORD = /[\p{L}\p{N}]$/u;
const BEGINS_IN_WORD = /^[\p{L}\p{N}]/u;

/** By chance a short value may stand inside a word. */
function without(words: string, value: string): string {
  return words.split(value).reduce((said, rest) => {
    const isInWord = ENDS_IN_WORD.test(said) || BEGINS_IN_WORD.test(rest);
    return `${said}${isInWord ? value : '\0'}${rest}`;
  });
}

function textsIn(value: Json): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(textsIn);
  if (typeof value === 'number') return [String(value)];
  return typeof value === 'string' && value !== '' ? [value] : [];
}
