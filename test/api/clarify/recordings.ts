import * as z from 'zod';
import { type Deviation, header, type WireRequest } from './exchange.ts';
import { shapeDeviations } from './shape.ts';

/** Signed: the address alone opens it. */
const signed = z
  .string()
  .regex(/^https?:\/\/\S+$/, 'expected a URL or null')
  .nullable();

export const artifacts = z.strictObject({
  data: z.strictObject({ videoUrl: signed, transcriptionUrl: signed }),
});

// Of the instants of a word the page gives the name and nothing of the form.
const instant = z.union([z.number(), z.string(), z.looseObject({}), z.null()]);

const transcript = z.array(
  z.strictObject({
    speaker: z.string().nullable(),
    speaker_id: z.union([z.string(), z.number()]).nullable(),
    language: z.string().nullable(),
    words: z.array(
      z.strictObject({ text: z.string(), start_timestamp: instant, end_timestamp: instant }),
    ),
  }),
);

/** A transcript: what a `transcriptionUrl` opens. */
export function transcriptDeviations(body: unknown): Deviation[] {
  return shapeDeviations(transcript, body, 'answer.body');
}

/** Whoever asks at a signed address is known by it, and leaves the key at home. */
export function signedDeviations({ headers }: Pick<WireRequest, 'headers'>): Deviation[] {
  return header(headers, 'authorization') === undefined
    ? []
    : [{ at: 'request.headers.authorization', what: 'has no place at a signed address' }];
}
