import type { Command, Option } from 'commander';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type ShellName = (typeof shells)[number];

interface Word {
  readonly text: string;
  readonly about: string;
}

/** What may follow one command: the words below it, its options, and their values. */
interface Place {
  /** Such as `outbox list`; empty for the program itself. */
  readonly path: string;
  readonly words: readonly Word[];
  readonly options: readonly (Word & { readonly values: readonly string[] | null })[];
}

/** The script that makes a shell complete the commands and options of `program`. */
export function completionScript(shell: ShellName, program: Command): string {
  const places = placesOf(program, '');
  switch (shell) {
    case 'bash':
      return bash(places);
    case 'zsh':
      return zsh(places);
    case 'fish':
      return fish(places);
  }
}

function placesOf(command: Command, path: string): readonly Place[] {
  const help = command.createHelp();
  const below = help.visibleCommands(command);
  const choices = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
  const place = {
    path,
    words: [
      ...below.map((each) => ({ text: each.name(), about: help.subcommandDescription(each) })),
      ...choices.map((text) => ({ text, about: '' })),
    ],
    options: help.visibleOptions(command).map((option) => ({
      text: option.long ?? option.flags,
      about: option.description,
      values: valuesOf(option),
    })),
  };
  // `help` is made up by commander, and has nothing of its own to complete.
  const deeper = below.filter((each) => command.commands.includes(each));
  return [place, ...deeper.flatMap((each) => placesOf(each, `${path} ${each.name()}`.trimStart()))];
}

/** Null where the option takes no value. */
function valuesOf(option: Option): readonly string[] | null {
  return option.required || option.optional ? (option.argChoices ?? []) : null;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A `case` over where on the line the cursor stands. */
function byPlace(
  places: readonly Place[],
  render: (place: Place) => readonly (readonly [key: string, statement: string])[],
): string {
  return places
    .flatMap((place) => render(place))
    .map(([key, statement]) => `    ${quoted(key)}) ${statement} ;;`)
    .join('\n');
}

/** The commands on the line so far, other words left out; the same text in bash and zsh. */
function walk(places: readonly Place[], words: string): string {
  const steps = places.flatMap(({ path }) => {
    const cut = path.lastIndexOf(' ');
    return path === '' ? [] : [quoted(`${path.slice(0, Math.max(0, cut))} ${path.slice(cut + 1)}`)];
  });
  return [
    '  local at="" word',
    `  for word in ${words}; do`,
    '    case "$at $word" in',
    `      ${steps.join('|')}) at="\${at:+$at }$word" ;;`,
    '    esac',
    '  done',
  ].join('\n');
}

function bash(places: readonly Place[]): string {
  const values = byPlace(places, ({ path, options }) =>
    options.flatMap(({ text, values: given }) =>
      given === null ? [] : [[`${path} ${text}`, `words=${quoted(given.join(' '))}`] as const],
    ),
  );
  const words = byPlace(places, ({ path, words: below, options }) => [
    [path, `words=${quoted([...below, ...options].map(({ text }) => text).join(' '))}`],
  ]);
  return `# in .bashrc: eval "$(clarify-sync completion bash)"
_clarify_sync() {
${walk(places, '"${COMP_WORDS[@]:1:COMP_CWORD-1}"')}
  local words=""
  case "$at \${COMP_WORDS[COMP_CWORD-1]}" in
${values}
    *) case "$at" in
${words}
    esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _clarify_sync clarify-sync
`;
}

function zsh(places: readonly Place[]): string {
  const described = (words: readonly Word[]) =>
    words.map(({ text, about }) => quoted(`${text}${about === '' ? '' : `:${about}`}`)).join(' ');
  const values = byPlace(places, ({ path, options }) =>
    options.flatMap(({ text, values: given }) =>
      given === null
        ? []
        : [[`${path} ${text}`, `found=(${given.map(quoted).join(' ')})`] as const],
    ),
  );
  const words = byPlace(places, ({ path, words: below, options }) => [
    [path, `found=(${described([...below, ...options])})`],
  ]);
  return `# in .zshrc, after compinit: eval "$(clarify-sync completion zsh)"
_clarify_sync() {
${walk(places, '"${(@)words[2,CURRENT-1]}"')}
  local -a found
  case "$at \${words[CURRENT-1]}" in
${values}
    *) case "$at" in
${words}
    esac ;;
  esac
  _describe 'clarify-sync' found
}
compdef _clarify_sync clarify-sync
`;
}

function fish(places: readonly Place[]): string {
  const paths = places.filter(({ path }) => path !== '').map(({ path }) => quoted(path));
  const lines = places.flatMap(({ path, words, options }) => {
    const here = `complete -c clarify-sync -n ${quoted(`test "$(__clarify_sync_at)" = "${path}"`)} -f`;
    return [
      ...words.map(({ text, about }) => `${here} -a ${quoted(text)} -d ${quoted(about)}`),
      ...options.map(({ text, about, values }) => {
        const value = values === null ? '' : ` -x -a ${quoted(values.join(' '))}`;
        return `${here} -l ${text.replace(/^--/, '')}${value} -d ${quoted(about)}`;
      }),
    ];
  });
  return `# in config.fish: clarify-sync completion fish | source
function __clarify_sync_at
  set -l at
  for word in (commandline -opc)[2..]
    if contains -- (string join -- ' ' $at $word) ${paths.join(' ')}
      set at $at $word
    end
  end
  echo -n "$at"
end
complete -c clarify-sync -f
${lines.join('\n')}
`;
}
