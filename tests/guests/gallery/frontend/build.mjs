// Joins the scripts of src/ into dist/gallery.js, and copies the style sheet.
import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';

const here = new URL('.', import.meta.url);
mkdirSync(new URL('dist/', here), { recursive: true });

const scripts = readdirSync(new URL('src/', here)).filter((name) => name.endsWith('.js')).sort();
const bundle = scripts.map((name) => readFileSync(new URL(`src/${name}`, here), 'utf8')).join('\n');
writeFileSync(new URL('dist/gallery.js', here), `(() => {\n${bundle}})();\n`);
copyFileSync(new URL('src/gallery.css', here), new URL('dist/gallery.css', here));
console.log(`dist/gallery.js: ${scripts.length} scripts`);
