import { type Json, stringifyJson } from '../../domain/json.ts';
import { type Html, html } from './html.ts';

export function count(amount: number | bigint): string {
  return amount.toLocaleString('en-US');
}

export function plural(amount: number, one: string, many = `${one}s`): string {
  return `${count(amount)} ${amount === 1 ? one : many}`;
}

const UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
];

/** In its largest fitting unit: `12 s`, `3 min`, `5 h`, `2 d`. */
export function span(seconds: number): string {
  for (const [unit, size] of UNITS) {
    if (seconds >= 2 * size) return `${Math.floor(seconds / size)} ${unit}`;
  }
  return `${Math.max(0, Math.round(seconds))} s`;
}

/** `3 min ago`, with the instant itself for whoever asks. */
export function ago(iso: string | null, nowMs: number): Html {
  if (iso === null) return html`<span class="quiet">never</span>`;
  const seconds = (nowMs - Date.parse(iso)) / 1_000;
  return html`<time datetime="${iso}" title="${iso}">${span(seconds)} ago</time>`;
}

/** Longer values are cut: the page is for deciding, not for reading documents. */
const MOST_CHARACTERS = 1_000;

export function value(json: Json | undefined): Html {
  if (json === undefined) return html`<span class="quiet">unknown</span>`;
  if (json === null) return html`<span class="quiet">(empty)</span>`;
  const text = typeof json === 'string' ? json : stringifyJson(json);
  const cut = text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
  // Isolated: a text that turns the direction of writing turns only itself.
  return html`<bdi>${cut}</bdi>`;
}
