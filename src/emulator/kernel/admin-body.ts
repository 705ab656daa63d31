import * as z from 'zod';
import type { Json } from '../../domain/json.ts';
import { faultSchema } from './faults.ts';

const json: z.ZodType<Json> = z.json();
/** Goes into answers as it is. */
const plain = z.string().regex(/^[^"\\\p{Cc}]+$/u);

/** Bodies of `POST /_emulator/{name}` that every emulator takes. */
export const sharedBodies = {
  /** One, or a list. */
  faults: z.preprocess((body) => [body].flat(), z.array(faultSchema)),
  switches: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  'reset-stats': z.unknown(),
} as const;

/** Of which the bodies of people's acts are made. */
export const bodyParts = {
  object: plain,
  id: z.string(),
  ids: z.array(z.string()).min(1),
  fields: z.record(z.string(), json),
  /** Who did it, when, and whether the record's time of change moves. */
  options: {
    by: plain.optional(),
    at: z.union([z.number(), z.iso.datetime()]).optional(),
    bump: z.boolean().optional(),
  },
} as const;
