import { expect, it } from 'vitest';
import { createTurns } from '../../../src/conflicts/turns.ts';

const patient = new AbortController().signal;

it('who waits for a turn may leave, and the others keep theirs', async () => {
  const turns = createTurns();
  let end = () => {};
  const first = turns.take('person', patient, async () => {
    await new Promise<void>((resolve) => {
      end = resolve;
    });
    return 'first';
  });
  const leaving = new AbortController();
  let ran = false;
  const second = turns.take('person', leaving.signal, async () => {
    ran = true;
  });
  const third = turns.take('person', patient, async () => 'third');
  leaving.abort(new Error('too late'));
  await expect(second).rejects.toThrow('too late');
  end();
  expect(await first).toBe('first');
  expect(await third).toBe('third');
  expect(ran).toBe(false);
});

it('who reads and is told to stop is waited for', async () => {
  const turns = createTurns();
  const stopping = new AbortController();
  const reading = turns.take('person', stopping.signal, async () => {
    stopping.abort();
    await Promise.resolve();
    return 'whole';
  });
  expect(await reading).toBe('whole');
});
