import type { ServedExchange } from '../../src/emulator/kernel/served-exchange.ts';
import { type Checked, checkSides } from '../api/clarify/check-exchange.ts';
import type { Deviation, Dialect, Fact } from '../api/clarify/exchange.ts';
import { FieldBook } from '../api/clarify/field-book.ts';
import { signedDeviations, transcriptDeviations } from '../api/clarify/recordings.ts';

/** Whose requests they are: the client's are judged, those of a test that errs on purpose are not. */
export type Judged = 'of the client' | 'wrong on purpose';

export interface Recorder {
  record(exchange: ServedExchange): void;
  /** @throws Error that lists what deviates, once each. */
  assertNone(): void;
}

/** So many items of a long page are looked at; all of a short one. */
const SAMPLE = 20;
const SHORT_PAGE = 100;
/** Of long answers, so many at first and then every tenth: they are what takes time to read. */
const LONG_BYTES = 128 * 1024;
const LONG_AT_FIRST = 10;

/** Faults after which the answer is still what the emulator means to say. */
const harmless: readonly ServedExchange['fault'][] = [null, 'slow'];

/** Holds what goes between a client and an emulator against the schema of the API. */
export function createRecorder(options: {
  readonly dialect: Dialect;
  readonly apiKey: string;
  readonly requests: Judged;
  /** What the emulator's switches have taken from the other dialect. */
  readonly otherwise?: () => readonly Fact[];
}): Recorder {
  const fields = new FieldBook();
  const { apiKey, otherwise = () => [] } = options;
  const deviations = new Set<string>();
  let long = 0;

  function isSkipped(bytes: number): boolean {
    if (bytes < LONG_BYTES) return false;
    long += 1;
    return long > LONG_AT_FIRST && long % 10 !== 0;
  }

  function record(exchange: ServedExchange): void {
    const { request, answer, fault } = exchange;
    const length = answer?.body.length ?? 0;
    const judged = harmless.includes(fault) && !isSkipped(length) ? answer : null;
    const body = judged?.body.toString() ?? '';
    const found = request.url.startsWith('/artifacts/')
      ? signedSides(request, judged?.status ?? 0, body)
      : checkSides({
          dialect: options.dialect,
          request: { ...request, body: request.body ?? '' },
          answer: { status: judged?.status ?? 0, headers: judged?.headers ?? {}, body },
          workspace: { apiKey, fields, otherwise: otherwise() },
          sample: length < LONG_BYTES ? SHORT_PAGE : SAMPLE,
        });
    const isWhole = request.body !== null && options.requests === 'of the client';
    if (isWhole) found.request.forEach(add);
    if (judged === null) return;
    found.answer.forEach(add);
    const isSchemas = judged.status === 200 && /\/schemas(?:\?|$)/.test(request.url);
    if (isSchemas) fields.learn(JSON.parse(body));
  }

  function add(deviation: string): void {
    deviations.add(deviation.replaceAll(/\[\d+\]/g, '[…]'));
  }

  return {
    record,
    assertNone() {
      if (deviations.size === 0) return;
      const list = [...deviations].map((each) => `  ${each}`).join('\n');
      throw new Error(`${deviations.size} deviations from the API as its facts tell it:\n${list}`);
    },
  };
}

/** Of what a signed address opens; a transcript is the only thing there whose form is known. */
function signedSides(request: ServedExchange['request'], status: number, body: string): Checked {
  const say = ({ at, what }: Deviation) => `GET a signed address: ${at} ${what}`;
  const isTranscript = status === 200 && /\/transcription\.json\b/.test(request.url);
  return {
    request: signedDeviations(request).map(say),
    answer: isTranscript ? transcriptDeviations(JSON.parse(body)).map(say) : [],
  };
}
