import type { CallOptions } from '../../domain/remote.ts';
import type { Send } from '../wire/call.ts';
import { isMoreBehind, readList } from './envelope.ts';
import type { FeedOf } from './read-event.ts';

/** As many as a page may have; what a change is about is mostly among the newest. */
const ACTIVITIES = 500;

/** Items of a feed, and whether there are any behind them. */
export interface FeedPage {
  readonly items: readonly unknown[];
  readonly more: boolean;
}

/** One page of a record's activity feed, asked for once: some feeds fail for good. */
export async function readFeedPage(
  send: Send,
  { object, id, offset }: FeedOf & { readonly offset: number },
  options: CallOptions,
): Promise<FeedPage> {
  return await send(
    {
      endpoint: `GET /objects/${object.object}/records/{id}/activities`,
      method: 'GET',
      path: ['objects', object.object, 'records', id, 'activities'],
      query: [
        ['page[offset]', String(offset)],
        ['page[limit]', String(ACTIVITIES)],
      ],
      repeatable: true,
      attempts: 1,
      read(body) {
        const list = readList(body);
        return { items: list.items, more: isMoreBehind(list, { offset, limit: ACTIVITIES }) };
      },
    },
    options,
  );
}
