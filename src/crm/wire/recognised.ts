import { isObject } from '../../domain/json.ts';
import type { RemoteRecord } from '../../domain/record.ts';
import type { CallOptions, Recognition } from '../../domain/remote.ts';
import { BadAnswer, type Call, type Send } from './call.ts';
import type { RawItems } from './raw-items.ts';
import { packageVersion } from './user-agent.ts';

const VERSION = packageVersion();

/** How an answer that has a list of records is read. */
export interface RecognisedList<T> {
  /** What the list is called. */
  readonly member: string;
  readonly recognition: Recognition;
  /** What `read` hangs on beside the item. */
  readonly basis: string;
  /** @throws BadAnswer */
  readonly read: (item: unknown) => RemoteRecord;
  /**
   * What the answer comes to. Its records are left out where it is no object with their list:
   * then it is whole. @throws BadAnswer
   */
  readonly conclude: (body: unknown, records?: RemoteRecord[]) => T;
}

type Answer<T> = { readonly whole: T } | { readonly body: unknown; readonly items: RawItems };

/**
 * Makes a call that lists records, and reads those alone that are not recognised.
 *
 * @returns null where the answer cannot be read so: it is to be asked for and read as a whole, which
 * says what is wrong with it.
 */
export async function readRecognised<T>(
  send: Send,
  call: Omit<Call<unknown>, 'read' | 'items'>,
  { member, recognition, basis, read, conclude }: RecognisedList<T>,
  options: CallOptions,
): Promise<T | null> {
  // Another version of this program may make something else of the same record.
  const wanted = {
    member,
    basis: JSON.stringify([VERSION, recognition.basis, basis]),
  };
  const answer = await send<Answer<T>>(
    {
      ...call,
      items: wanted,
      read: (body, _status, items) =>
        items === undefined ? { whole: conclude(body) } : { body, items },
    },
    options,
  );
  if ('whole' in answer) return answer.whole;
  const { body, items } = answer;
  try {
    // A list of that name that comes again is the one that counts.
    if (!isObject(body) || !Array.isArray(body[member]) || body[member].length > 0) return null;
    const { digests } = items;
    const readAt = (index: number, digest: string) => {
      const record = read(items.parse(index));
      return { ...record, trace: { digest, links: record.links } };
    };
    const ends = [digests[0], digests.at(-1)].flatMap((digest, end) => {
      return digest === undefined ? [] : [readAt(end === 0 ? 0 : digests.length - 1, digest)];
    });
    const known = await recognition.find(ends);
    const records = digests.map((digest, index) => known.get(digest) ?? readAt(index, digest));
    return conclude(body, records);
  } catch (error) {
    if (error instanceof BadAnswer || error instanceof SyntaxError) return null;
    throw error;
  } finally {
    items.release();
  }
}
