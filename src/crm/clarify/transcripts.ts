import * as z from 'zod';
import { RemoteError } from '../../domain/errors.ts';
import type { ReadTranscript } from '../../domain/remote.ts';
import { BadAnswer, type Send } from '../wire/call.ts';
import { type DownloadDeps, downloadText } from '../wire/signed-download.ts';

const artifacts = z.object({ data: z.object({ transcriptionUrl: z.string().nullish() }) });

/**
 * Asks for links to what a recording left, and follows the one to its transcript at once: they are
 * good for minutes. The video's is of no use to a table, for the same reason.
 */
export function createReadTranscript(send: Send, deps: DownloadDeps): ReadTranscript {
  return async ({ meeting, recording }, options) => {
    const link = await send(
      {
        endpoint: 'POST /meetings/{id}/recordings/{id}/artifacts',
        method: 'POST',
        path: ['meetings', meeting, 'recordings', recording, 'artifacts'],
        // It makes links, and changes nothing.
        repeatable: true,
        read(body) {
          const answer = artifacts.safeParse(body);
          if (!answer.success) throw new BadAnswer('it names no artifacts');
          return answer.data.data.transcriptionUrl ?? null;
        },
      },
      options,
    );
    if (link !== null) return await downloadText(link, deps, options.signal);
    throw new RemoteError('a recording has no transcript yet', {
      code: 'recording-not-transcribed',
      disposition: 'retry',
      status: null,
    });
  };
}
