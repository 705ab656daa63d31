import type { OutputStream, Terminal } from '../../../src/cli/terminal.ts';

/** A terminal that keeps what was written; `lines` as a reader would see them. */
export function recordingTerminal(options: { readonly colours?: boolean } = {}) {
  const stream = () => {
    const written: string[] = [];
    const output: OutputStream = {
      write: (text) => written.push(text),
      isTTY: options.colours ?? false,
      hasColors: () => options.colours ?? false,
    };
    return { output, written };
  };
  const out = stream();
  const err = stream();
  const terminal: Terminal = { out: out.output, err: err.output };
  const lines = (written: readonly string[]) => written.join('').split('\n').slice(0, -1);
  return { terminal, out: () => lines(out.written), err: () => lines(err.written) };
}
