import type { Logger } from './log.ts';

type Listener<Events, E extends keyof Events> = (detail: Events[E]) => void;

export interface EventHub<Events> {
  on<E extends keyof Events>(event: E, listener: Listener<Events, E>): () => void;
  emit<E extends keyof Events>(event: E, detail: Events[E]): void;
}

/** A listener that throws is logged: it must not stop what it listens to. */
export function createEventHub<Events>(log: Logger): EventHub<Events> {
  const listeners: { [E in keyof Events]?: Set<Listener<Events, E>> } = {};
  return {
    on(event, listener) {
      const all = listeners[event] ?? new Set();
      listeners[event] = all;
      all.add(listener);
      return () => {
        all.delete(listener);
      };
    },
    emit(event, detail) {
      for (const listener of listeners[event] ?? []) {
        try {
          listener(detail);
        } catch (error) {
          log.error({ err: error, event: String(event) }, 'a listener threw');
        }
      }
    },
  };
}
