import { describe, expect, it } from 'vitest';
import { createService, type Service, startAll } from '../../../src/app/service.ts';

function recorder() {
  const events: string[] = [];
  const service = (name: string, fail: { start?: boolean; stop?: boolean } = {}): Service =>
    createService(async () => {
      await Promise.resolve();
      if (fail.start) throw new Error(`${name} did not start`);
      events.push(`+${name}`);
      return async () => {
        await Promise.resolve();
        events.push(`-${name}`);
        if (fail.stop) throw new Error(`${name} did not stop`);
      };
    });
  return { events, service };
}

describe('createService', () => {
  it('starts once and stops once, however often it is told', async () => {
    const { events, service } = recorder();
    const one = service('a');
    await one.stop();
    await Promise.all([one.start(), one.start()]);
    await one.start();
    await Promise.all([one.stop(), one.stop()]);
    expect(events).toEqual(['+a', '-a']);
  });

  it('stops what is still starting, and starts again only after that', async () => {
    const { events, service } = recorder();
    const one = service('a');
    const starting = one.start();
    const stopping = one.stop();
    await Promise.all([starting, stopping, one.start()]);
    expect(events).toEqual(['+a', '-a', '+a']);
    await one.stop();
  });

  it('can be started again after a start that failed', async () => {
    let attempts = 0;
    const one = createService(() => {
      attempts += 1;
      if (attempts === 1) throw new Error('not yet');
      return () => {};
    });
    await expect(one.start()).rejects.toThrow('not yet');
    await one.start();
    await one.stop();
    expect(attempts).toBe(2);
  });
});

describe('startAll', () => {
  it('stops in reverse', async () => {
    const { events, service } = recorder();
    const all = startAll([service('a'), service('b'), service('c')]);
    await all.start();
    await all.stop();
    expect(events).toEqual(['+a', '+b', '+c', '-c', '-b', '-a']);
  });

  it('cleans up after a half-failed start', async () => {
    const { events, service } = recorder();
    const all = startAll([
      service('a'),
      service('b', { stop: true }),
      service('c', { start: true }),
    ]);
    await expect(all.start()).rejects.toThrow('c did not start');
    await all.stop();
    expect(events).toEqual(['+a', '+b', '-b', '-a']);
  });

  it('stops the others where one does not', async () => {
    const { events, service } = recorder();
    const all = startAll([service('a'), service('b', { stop: true })]);
    await all.start();
    await expect(all.stop()).rejects.toThrow('b did not stop');
    expect(events).toEqual(['+a', '+b', '-b', '-a']);
  });
});
