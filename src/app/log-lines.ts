import { prettyFactory } from 'pino-pretty';

/** Makes a coloured line of a JSON one. */
export function lineForReaders(): (line: string) => string {
  return prettyFactory({ translateTime: 'SYS:HH:MM:ss', colorize: true });
}
