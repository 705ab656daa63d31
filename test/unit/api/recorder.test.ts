import { afterEach, describe, expect, it } from 'vitest';
import type { ServedExchange } from '../../../src/emulator/kernel/served-exchange.ts';
import { type Emulator, startCheckedEmulator } from '../../support/checked-emulator.ts';
import { createRecorder } from '../../support/recorder.ts';

const running: Emulator[] = [];
afterEach(async () => {
  // Whoever deviates on purpose has been told so by then.
  await Promise.allSettled(running.splice(0).map((emulator) => emulator.stop()));
});

const seen: ServedExchange[] = [];
async function start(options: Parameters<typeof startCheckedEmulator>[0] = {}) {
  seen.length = 0;
  const emulator = await startCheckedEmulator({
    sizes: { person: 3, company: 2 },
    onExchange: (exchange) => seen.push(exchange),
    ...options,
  });
  running.push(emulator);
  return emulator;
}

const agent = { 'user-agent': 'clarify-sync/0.1.0' };
async function get(emulator: Emulator, path: string, headers: Record<string, string> = agent) {
  const response = await fetch(`${emulator.url}/workspaces/${emulator.workspace}${path}`, {
    headers: { authorization: `api-key ${emulator.apiKey}`, ...headers },
  });
  return await response.text().catch(() => '');
}

const people = '/objects/person/resources?page[limit]=500';

describe('a client whose requests are as they should be', () => {
  it('and whose answers are: nothing is said', async () => {
    const emulator = await start();
    await get(emulator, '/schemas');
    await get(emulator, people);
    await emulator.stop();
    await expect(emulator.stop()).resolves.toBeUndefined();
  });

  it('and whose answers went wrong on purpose: nothing is said', async () => {
    const emulator = await start();
    emulator.faults.add({ kind: 'html', count: 1 });
    emulator.faults.add({ kind: 'empty', status: 200, count: 1 });
    emulator.faults.add({ kind: 'malformed', count: 1 });
    emulator.faults.add({ kind: 'attribute', attribute: '_updated_at', value: 'soon', count: 1 });
    emulator.faults.add({ kind: 'truncated', count: 1 });
    for (let call = 0; call < 5; call += 1) await get(emulator, people);
    expect(seen.map(({ fault }) => fault)).toEqual([
      'html',
      'empty',
      'malformed',
      'attribute',
      'truncated',
    ]);
    await emulator.stop();
  });
});

describe('a deviation', () => {
  it('of a request ends the test, with its name and no value', async () => {
    const emulator = await start();
    await get(emulator, `${people}&filter[name][matches]=secret-value`);
    const failure = await emulator.stop().then(String, String);
    expect(failure).toContain(
      'GET /objects/{object}/resources: request.query.filter[name][matches]',
    );
    expect(failure).not.toContain('secret-value');
  });

  it('of a request counts also where the answer is a fault', async () => {
    const emulator = await start();
    emulator.faults.add({ kind: 'html' });
    await get(emulator, '/objects/person/resources');
    await expect(emulator.stop()).rejects.toThrow('request.query.page[limit]');
  });

  it('of a request that a test sends on purpose is none', async () => {
    const emulator = await start({ requests: 'wrong on purpose' });
    await get(emulator, '/objects/person/resources?page[limit]=501');
    await expect(emulator.stop()).resolves.toBeUndefined();
  });

  const recorded = (change: (exchange: ServedExchange) => ServedExchange) => () => {
    const recorder = createRecorder({
      dialect: 'current',
      apiKey: 'demo-key',
      requests: 'wrong on purpose',
    });
    for (const exchange of seen) recorder.record(change(exchange));
    recorder.assertNone();
  };
  const answering = (from: string | RegExp, to: string) => (exchange: ServedExchange) => ({
    ...exchange,
    answer: exchange.answer && {
      ...exchange.answer,
      body: exchange.answer.body.toString().replaceAll(from, to),
    },
  });

  it('of an answer does so too', async () => {
    const emulator = await start();
    await get(emulator, '/schemas');
    await get(emulator, people);
    const same = (exchange: ServedExchange) => exchange;
    expect(recorded(same)).not.toThrow();
    expect(recorded(answering('"prev":null', '"previous":null'))).toThrow('links.prev');
    expect(recorded(answering(/\.\d{3}Z"/g, 'Z"'))).toThrow('milliseconds');
    expect(recorded(answering('"schema"', '"object"'))).toThrow('GET /schemas: answer.body.data');
    expect(
      recorded((exchange) => ({
        ...exchange,
        answer: exchange.answer && { ...exchange.answer, headers: {} },
      })),
    ).toThrow('x-ratelimit-limit');
  });

  it('of an answer that takes what is refused', async () => {
    const emulator = await start({ requests: 'wrong on purpose' });
    await get(emulator, '/objects/person/resources?page[limit]=501');
    const accepted = (exchange: ServedExchange) => ({
      ...exchange,
      answer: exchange.answer && { ...exchange.answer, status: 200 },
    });
    expect(recorded(accepted)).toThrow('expected 400');
  });
});
