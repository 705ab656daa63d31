import { RemoteError } from '../../domain/errors.ts';
import type { Json } from '../../domain/json.ts';
import type { KizenField } from './catalog.ts';
import { LIST_TYPES } from './decode-value.ts';
import { isMany } from './fields.ts';

/** One field of a write: refusals speak of them by their place. */
export interface Entry {
  readonly name: string;
  readonly sends: 'clear' | 'relation' | 'choice' | 'value';
  readonly id: string;
  readonly value: Json;
}

/** How values are written of which no source says for certain in which of two forms Kizen takes them. */
export interface Forms {
  /** What clears a field. */
  blankOf(field: KizenField): Json;
  /** A record that is named. */
  reference(id: Json): Json;
  /** Options of a field that may hold one or several. */
  choice(field: Pick<KizenField, 'id'>, options: readonly Json[]): Json;
}

/** What has worked so far. */
export interface WriteForms {
  /**
   * Sends what `encode` makes, and once more in the other form where the server objects to an entry
   * that has one. What works is remembered.
   *
   * @throws what the first attempt met, where no other form is any better.
   */
  attempt<T>(
    encode: (forms: Forms) => readonly Entry[],
    send: (entries: readonly Entry[]) => Promise<T>,
  ): Promise<T>;
}

/** The one a source names first, or the field's flags ask for; and the other. */
type Form = 'usual' | 'other';
type Choice = ReadonlyMap<string, Form>;

/** So many entries of one write may want another form than expected. */
const MOST_ATTEMPTS = 8;

export function createWriteForms(): WriteForms {
  /** What has been taken, by what it hangs on. */
  const known = new Map<string, Form>();

  /** The form to try after this one was refused; null where there is none left. */
  function formAfter(key: string, refused: Form): Form | null {
    const taken = known.get(key);
    // Another write may have found out meanwhile.
    if (taken !== undefined) return taken === refused ? null : taken;
    return refused === 'usual' ? 'other' : 'usual';
  }

  return {
    async attempt(encode, send) {
      const tried = new Set<string>();
      let choice: Choice = new Map(known);
      let refusal: unknown;
      for (let attempt = 1; ; attempt += 1) {
        const entries = encode(formsOf(choice));
        try {
          const result = await send(entries);
          for (const entry of entries) {
            const key = keyOf(entry);
            if (key !== null) known.set(key, choice.get(key) ?? 'usual');
          }
          return result;
        } catch (error) {
          refusal ??= error;
          const key = keyOf(refusedEntry(error, entries));
          const isNew = key !== null && !tried.has(key) && attempt < MOST_ATTEMPTS;
          const form = isNew ? formAfter(key, choice.get(key) ?? 'usual') : null;
          if (key === null || form === null) throw refusal;
          tried.add(key);
          choice = new Map([...choice, [key, form]]);
        }
      }
    },
  };
}

/** What the form of an entry hangs on: of relations all of them, else its field; null where it has but one. */
function keyOf(entry: Entry | undefined): string | null {
  switch (entry?.sends) {
    case 'relation':
      return entry.sends;
    case 'choice':
      return choiceKey(entry);
    case 'clear':
      return Array.isArray(entry.value) ? null : blankKey(entry);
    default:
      return null;
  }
}

function choiceKey({ id }: Pick<KizenField, 'id'>): string {
  return `choice ${id}`;
}

function blankKey({ id }: Pick<KizenField, 'id'>): string {
  return `clear ${id}`;
}

function formsOf(choice: Choice): Forms {
  const isOther = (key: string) => choice.get(key) === 'other';
  return {
    blankOf(field) {
      if (LIST_TYPES.has(field.type) || isMany(field)) return [];
      const isTextUsual = !field.allowsNull && field.allowsEmpty;
      return isTextUsual === isOther(blankKey(field)) ? null : '';
    },
    reference: (id) => (isOther('relation') ? id : { id }),
    choice(field, options) {
      const [only = null, ...others] = options;
      return isOther(choiceKey(field)) || others.length > 0 ? options : only;
    },
  };
}

function refusedEntry(error: unknown, entries: readonly Entry[]): Entry | undefined {
  if (!(error instanceof RemoteError) || error.code !== 'remote-invalid') return undefined;
  if (error.status !== 400 && error.status !== 422) return undefined;
  return entries.find(({ name }) => name === error.field);
}
