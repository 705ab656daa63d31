import * as z from 'zod';
import type { Call, Deviation, WireAnswer } from './exchange.ts';
import { shapeDeviations } from './shape.ts';

const pointer = z.string().regex(/^(\/[^/]*)*$/, 'expected a JSON pointer');

const plainError = z.strictObject({ status: z.string(), detail: z.string().min(1) });

/** `title` and `source` come on validation errors alone. */
const validationError = plainError.extend({
  title: z.string().optional(),
  source: z.strictObject({ pointer }).optional(),
});

const bodies = {
  plain: z.strictObject({ errors: z.array(plainError).min(1) }),
  validation: z.strictObject({ errors: z.array(validationError).min(1) }),
};

/** What stands before the API says of itself. */
const gatewayBody = z.strictObject({
  statusCode: z.int(),
  message: z.string(),
  error: z.string(),
});

/** Refusals of what never comes so far as the API. */
const statuses = [400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 500, 502, 503, 504];

export function errorAnswer(call: Call, answer: WireAnswer, body: unknown): Deviation[] {
  const { status } = answer;
  if (!statuses.includes(status)) return [{ at: 'answer.status', what: `${status} is not known` }];
  if (fromGateway(call, answer)) return shapeDeviations(gatewayBody, body, 'answer.body');
  const shape = status === 422 ? bodies.validation : bodies.plain;
  const found = shapeDeviations(shape, body, 'answer.body');
  if (found.length > 0) return found;
  return shape
    .parse(body)
    .errors.flatMap((error, index) =>
      error.status === String(status)
        ? []
        : [{ at: `answer.body.errors[${index}].status`, what: `expected "${status}"` }],
    );
}

/** `{statusCode, message, error}`, of what never comes so far as the API, or breaks in front of it. */
function fromGateway({ path }: Call, { status, body }: WireAnswer): boolean {
  const before = !path.startsWith('/v1/workspaces/') || status >= 500;
  return body.includes('"statusCode"') && (before || [403, 404, 405, 413, 415].includes(status));
}
