// Makes webroot/dist: the scripts, the stylesheets and the icons that the Go
// program embeds. Run by `npm run build`.
import { build } from "esbuild";
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "dist");

// Our names for icons, and Lucide's (ISC licence, one stroke width).
const icons = {
  // What a target may ask for; an unknown name is shown as desktop.
  desktop: "monitor",
  server: "server",
  door: "door-open",
  camera: "cctv",
  book: "book-open",
  link: "globe",
  file: "file-text",
  key: "key-round",
  // What the pages themselves use.
  add: "plus",
  alert: "circle-alert",
  back: "arrow-left",
  close: "x",
  done: "circle-check",
  "full-screen": "maximize",
  help: "circle-question-mark",
  folder: "folder",
  info: "info",
  keyboard: "keyboard",
  microphone: "mic",
  muted: "volume-x",
  refresh: "rotate-cw",
  screenshot: "camera",
  "second-window": "monitor-up",
  "side-by-side": "columns-2",
  "new-tab": "arrow-up-right",
  "log-out": "log-out",
  met: "check",
  search: "search",
  star: "star",
  tools: "chevron-down",
  up: "corner-left-up",
  upload: "upload",
};

// sprite joins the icons into one SVG, addressed as icons.svg#name. Colour and
// stroke come from the stylesheet of the page that uses them.
async function sprite() {
  const symbols = await Promise.all(Object.entries(icons).map(async ([name, lucide]) => {
    const svg = await readFile(join(here, "../node_modules/lucide-static/icons", `${lucide}.svg`), "utf8");
    const drawing = /<svg[^>]*>(.*)<\/svg>/s.exec(svg);
    if (!drawing) throw new Error(`icon ${lucide}: not the SVG that was expected`);
    return `<symbol id="${name}" viewBox="0 0 24 24">${drawing[1].replace(/\s+/g, " ").replaceAll("> <", "><").trim()}</symbol>`;
  }));
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>\n`;
}

// flags copies one picture a country (country-flag-icons, MIT licence): emoji
// flags are letters on Windows. A page loads those of its own list only.
async function flags() {
  const from = join(here, "../node_modules/country-flag-icons/3x2");
  await mkdir(join(dist, "flags"));
  for (const name of await readdir(from)) {
    if (/^[A-Z]{2}\.svg$/.test(name)) await copyFile(join(from, name), join(dist, "flags", name));
  }
}

async function clean() {
  await mkdir(dist, { recursive: true });
  for (const name of await readdir(dist)) {
    if (name !== ".gitkeep") await rm(join(dist, name), { recursive: true });
  }
}

// What a first visit loads beside the page itself; limits stand in webroot_test.go
// and gateway/transfer_test.go.
const visits = {
  "up to the list": ["app.css", "app.js", "icons.svg", "mark.svg"],
  "the number": ["app.css", "app.js", "phone.css", "phone.js", "icons.svg", "mark.svg"],
  "the desktop": ["app.css", "desktop.css", "desktop.js", "icons.svg", "mark.svg"],
};

async function report() {
  const rows = [], sizes = {};
  for (const name of (await readdir(dist)).filter((n) => n !== ".gitkeep" && n !== "flags").sort()) {
    const plain = await readFile(join(dist, name));
    const packed = brotliCompressSync(plain, {
      params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY },
    });
    await writeFile(join(dist, `${name}.br`), packed);
    sizes[name] = packed.length;
    rows.push(`${name.padEnd(14)} ${String(plain.length).padStart(8)} bytes ${String(packed.length).padStart(8)} compressed`);
  }
  for (const [visit, names] of Object.entries(visits)) {
    const sum = names.reduce((all, name) => all + sizes[name], 0);
    rows.push(`${visit.padEnd(14)} ${String(sum).padStart(23)} compressed`);
  }
  console.log(rows.join("\n"));
}

await clean();
await build({
  entryPoints: {
    app: join(here, "src/app.ts"),
    desktop: join(here, "src/desktop.ts"),
    check: join(here, "src/check.ts"),
    list: join(here, "src/list.ts"),
    key: join(here, "src/key.ts"),
    phone: join(here, "src/phone.ts"),
    live: join(here, "src/live.ts"),
  },
  outdir: dist,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022", "chrome105", "firefox110", "safari16"],
  legalComments: "none",
  logLevel: "warning",
});
await build({
  // A page that needs more than app.css loads its own beside it.
  entryPoints: [join(here, "styles/app.css"), join(here, "styles/desktop.css"), join(here, "styles/help.css"), join(here, "styles/helpdesk.css"), join(here, "styles/admin.css"), join(here, "styles/phone.css")],
  outdir: dist,
  bundle: true,
  minify: true,
  target: ["chrome105", "firefox110", "safari16"],
  logLevel: "warning",
});
await writeFile(join(dist, "icons.svg"), await sprite());
await writeFile(join(dist, "mark.svg"), await readFile(join(here, "images/mark.svg")));
await flags();
await report();
