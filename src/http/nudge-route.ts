import type { FastifyInstance, FastifyRequest } from 'fastify';
import { equalSecrets } from './guard.ts';

/** A longer body is read and dropped. */
const HINT_BYTES = 16 * 1024;
const MOST_BYTES = 1024 * 1024;

/**
 * `POST /nudge/<secret>`, in a fleet below the workspace it is about: a workflow in the CRM calls it
 * to have a change pulled now. The call is unsigned, so that nothing in it is believed: the body may
 * name an object, and a wrong name costs a pull that finds nothing. Whoever does not know the secret
 * learns nothing, not even that there is such a route.
 */
export function addNudge(
  app: FastifyInstance,
  secret: string,
  nudge: (object: string | null, request: FastifyRequest) => void,
): void {
  // In a scope of its own, where a body of any kind is taken.
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', async (_request: unknown, payload: NodeJS.ReadableStream) =>
      readStart(payload),
    );
    scope.post<{ Params: { secret: string } }>(
      '/nudge/:secret',
      {
        // Before the body is read: nobody else gets to send one.
        async onRequest(request: FastifyRequest<{ Params: { secret: string } }>, reply) {
          if (equalSecrets(request.params.secret, secret)) return;
          reply.callNotFound();
          return reply;
        },
      },
      async (request, reply) => {
        nudge(hintIn(request.body), request);
        return await reply.code(202).type('text/plain; charset=utf-8').send('ok\n');
      },
    );
  });
}

/** @throws an error with status 413 where somebody goes on and on. */
async function readStart(payload: NodeJS.ReadableStream): Promise<string> {
  const kept: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of payload) {
    const part = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk);
    bytes += part.length;
    if (bytes <= HINT_BYTES) kept.push(part);
    if (bytes > MOST_BYTES) throw Object.assign(new Error('too long'), { statusCode: 413 });
  }
  return bytes > HINT_BYTES ? '' : Buffer.concat(kept).toString('utf8');
}

/** The `object` of a JSON body; null where there is none that could be one. */
export function hintIn(body: unknown): string | null {
  if (typeof body !== 'string') return null;
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return null;
  }
  if (typeof parsed !== 'object' || parsed === null || !('object' in parsed)) return null;
  const { object } = parsed;
  return typeof object === 'string' && object.length <= 200 ? object : null;
}
