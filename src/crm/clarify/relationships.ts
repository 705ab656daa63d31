import { stringifyJson } from '../../domain/json.ts';
import type { CallOptions, LinkWrite, Remote } from '../../domain/remote.ts';
import type { Call, Send } from '../wire/call.ts';
import { isPlainReceipt, SILENT } from './bulk.ts';

/**
 * Writes to relationship endpoints. Both say how it is to be and not what to do, so both may be
 * sent again whatever became of the first attempt.
 */
export function createLinkWrites(send: Send): Pick<Remote, 'setLinks' | 'removeLinks'> {
  const write = (method: Call<unknown>['method'], request: LinkWrite, options: CallOptions) => {
    const { object, id, field, target, ids } = request;
    return send(
      {
        endpoint: `${method} /objects/${object.object}/records/{id}/relationships/${field}`,
        method,
        path: ['objects', object.object, 'records', id, 'relationships', field],
        query: SILENT,
        body: stringifyJson({ data: ids.map((one) => ({ type: target, id: one })) }),
        repeatable: true,
        records: Math.max(1, ids.length),
        doubts: [403],
        read: isPlainReceipt,
      },
      options,
    );
  };
  return {
    setLinks: async (request, options) => {
      await write('PATCH', request, options);
    },
    removeLinks: async (request, options) =>
      request.ids.length === 0 || (await write('DELETE', request, options)),
  };
}
