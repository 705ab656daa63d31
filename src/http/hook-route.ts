import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { HookCall } from '../crm/adapter.ts';
import { withinMs } from './within.ts';

/**
 * What came of a call of the CRM's.
 *
 * - `noted` what it tells is written down
 * - `nothing` it is the CRM's, and about nothing that is mirrored
 * - `refused` it is not signed, or not by the CRM
 * - `unknown` the CRM was not asked to call
 */
export type Received = 'noted' | 'nothing' | 'refused' | 'unknown';

/** Takes the calls of a workspace's CRM. */
export interface HookReceiver {
  /** Returns once what it tells would outlive a crash. @throws SyncError where it cannot be written. */
  receive(call: HookCall): Promise<Received>;
}

/** One event is a few hundred bytes; anybody may send so much before it is known whose it is. */
const MOST_BYTES = 256 * 1024;
/** The CRM waits for a second, and calls again later: whoever could not write it down in time says so. */
const PATIENCE_MS = 900;

const ANSWERS: Readonly<Record<Received, number>> = {
  noted: 200,
  nothing: 200,
  refused: 401,
  unknown: 404,
};

/**
 * `POST /webhook`, in a fleet below the workspace it is about: the CRM calls it when records change.
 * Whichever process is called writes down what it is told; the leader reads it.
 *
 * @param find null where the address is about none of ours, or its CRM calls nobody.
 * @param note told what came of each call.
 */
export function addHook(
  app: FastifyInstance,
  find: (request: FastifyRequest) => HookReceiver | null,
  note: (request: FastifyRequest, outcome: Received | 'failed') => void,
): void {
  // In a scope of its own, where a body is taken as it is: it was signed byte by byte.
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    const parse = async (_request: unknown, body: Buffer) => body;
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: MOST_BYTES }, parse);
    scope.post('/webhook', { bodyLimit: MOST_BYTES }, async (request, reply) => {
      const receiver = find(request);
      if (receiver === null) {
        reply.callNotFound();
        return reply;
      }
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const call = { body, headers: request.headers };
      const received = await withinMs(PATIENCE_MS, receiver.receive(call));
      note(request, received ?? 'failed');
      return await answer(reply, received === null ? 503 : ANSWERS[received]);
    });
  });
}

async function answer(reply: FastifyReply, status: number): Promise<unknown> {
  const says = status === 200 ? 'ok' : status === 503 ? 'later' : 'no';
  return await reply.code(status).type('text/plain; charset=utf-8').send(`${says}\n`);
}
