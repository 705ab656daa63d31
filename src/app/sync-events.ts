import type { Logger } from './log.ts';
import type { SyncEvent, SyncEvents, SyncListener } from './sync.ts';

export interface EventHub {
  on<E extends SyncEvent>(event: E, listener: SyncListener<E>): () => void;
  emit<E extends SyncEvent>(event: E, detail: SyncEvents[E]): void;
}

/** A listener that throws is logged: it must not stop what it listens to. */
export function createEventHub(log: Logger): EventHub {
  const listeners: { [E in SyncEvent]: Set<SyncListener<E>> } = {
    pulled: new Set(),
    pushed: new Set(),
    conflict: new Set(),
    parked: new Set(),
    leading: new Set(),
    error: new Set(),
  };
  return {
    on(event, listener) {
      listeners[event].add(listener);
      return () => {
        listeners[event].delete(listener);
      };
    },
    emit(event, detail) {
      for (const listener of listeners[event]) {
        try {
          listener(detail);
        } catch (error) {
          log.error({ err: error, event }, 'a listener threw');
        }
      }
    },
  };
}
