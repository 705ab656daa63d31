import {
  type Emulator,
  type EmulatorOptions,
  startEmulator,
} from '../../src/emulator/clarify/emulator.ts';
import type { Dialect, Switches } from '../../src/emulator/clarify/switches.ts';
import type { Fact } from '../api/clarify/exchange.ts';
import { createRecorder, type Judged } from './recorder.ts';

export type { Emulator, EmulatorOptions } from '../../src/emulator/clarify/emulator.ts';

/** `requests: 'wrong on purpose'` where a test sends them itself: the answers alone are checked. */
export interface CheckedOptions extends EmulatorOptions {
  readonly requests?: Judged;
}

/**
 * An emulator of which every exchange is held against the schema in `test/api`; `stop()` fails with
 * what deviates. Every test starts its emulator here (`test/unit/layers.test.ts`).
 */
export async function startCheckedEmulator(options: CheckedOptions = {}): Promise<Emulator> {
  const { requests = 'of the client', ...rest } = options;
  const { dialect = 'current' } = options;
  const recorder = createRecorder({
    dialect,
    otherwise: () => fromTheOther(dialect, emulator.switches),
    apiKey: options.apiKey ?? 'demo-key',
    requests,
  });
  const emulator = await startEmulator({
    ...rest,
    onExchange(exchange) {
      recorder.record(exchange);
      options.onExchange?.(exchange);
    },
  });
  return {
    ...emulator,
    async stop() {
      await emulator.stop();
      recorder.assertNone();
    },
  };
}

function fromTheOther(dialect: Dialect, { schemaForm, bulkRecordsMax }: Switches): Fact[] {
  const isCurrent = dialect === 'current';
  return [
    ...((schemaForm === 'list') === isCurrent ? [] : (['schemas'] as const)),
    ...(isCurrent || bulkRecordsMax === 25 ? [] : (['bulk size'] as const)),
  ];
}
