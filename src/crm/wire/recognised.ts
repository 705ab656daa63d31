import { isObject } from '../../domain/json.ts';
import type { RemoteRecord } from '../../domain/record.ts';
import type { CallOptions, Recognition } from '../../domain/remote.ts';
import { BadAnswer, type Call, type Send } from './call.ts';
import type { RawItems } from './raw-items.ts';
import { packageVersion } from './user-agent.ts';

const VERSION = packageVersion();

/** How an answer that begins with a list of records is read. */
export interface RecognisedList {
  /** What the list is called. */
  readonly member: string;
  readonly recognition: Recognition;
  /** What `read` hangs on beside the item. */
  readonly basis: string;
  /** @throws BadAnswer */
  readonly read: (item: unknown) => RemoteRecord;
}

/**
 * Makes a call that lists records, and reads those alone that are not recognised.
 *
 * @returns the records, and what else the answer says; null where it cannot be read so: it is to be
 * read as a whole, which says what is wrong with it.
 */
export async function readRecognised(
  send: Send,
  call: Omit<Call<unknown>, 'read' | 'items'>,
  { member, recognition, basis, read }: RecognisedList,
  options: CallOptions,
): Promise<{ readonly records: RemoteRecord[]; readonly body: unknown } | null> {
  // Another version of this program may make something else of the same record.
  const wanted = {
    member,
    basis: JSON.stringify([VERSION, recognition.basis, basis]),
  };
  const answer = await send<{ body: unknown; items: RawItems | undefined }>(
    { ...call, items: wanted, read: (body, _status, items) => ({ body, items }) },
    options,
  );
  const { body, items } = answer;
  // A list of that name that comes again is the one that counts.
  const isLeftOut = isObject(body) && Array.isArray(body[member]) && body[member].length === 0;
  if (items === undefined || !isLeftOut) return null;
  try {
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
    return { records, body };
  } catch (error) {
    if (error instanceof BadAnswer || error instanceof SyntaxError) return null;
    throw error;
  } finally {
    items.release();
  }
}
