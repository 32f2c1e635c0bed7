// The configuration of the documentation site, which scripts/docs.mjs builds.
import { readFileSync } from 'node:fs';
import { defineConfig } from 'vitepress';
import { slugOf } from '../markdown.mjs';
import { root } from '../run.mjs';

const index = readFileSync(`${root}docs/README.md`, 'utf8');

/** Returns the links of one table of the page with all pages. */
function linksOf(kind) {
  const table = index.slice(index.indexOf(`| ${kind} page`)).split(/\n\s*\n/)[0] ?? '';
  return [...table.matchAll(/^\| \[([^\]]+)\]\(([^)]+)\.md\)/gm)].map(([, text, link]) => ({
    text,
    link: `/${link}`,
  }));
}

const sidebar = [
  { text: 'Start', items: linksOf('first') },
  { text: 'How to', items: linksOf('how-to') },
  { text: 'Understand', items: linksOf('topic') },
  {
    text: 'Look up',
    items: [
      ...linksOf('reference'),
      { text: 'API from the code', link: '/api/' },
      { text: 'All pages and terms', link: '/pages' },
    ],
  },
  {
    text: 'Project',
    items: [
      { text: 'Changelog', link: '/changelog' },
      { text: 'Contributing', link: '/contributing' },
      { text: 'Security', link: '/security' },
    ],
  },
];

export default defineConfig({
  title: 'wirebeat',
  description: 'Heartbeats for WebSockets, in the browser and on the server',
  lang: 'en',
  outDir: `${root}build/site`,
  cacheDir: `${root}build/site-cache`,
  // Else each page contains the names of all others.
  metaChunk: true,
  head: [['link', { rel: 'icon', type: 'image/svg+xml', href: '/diagrams/icon.svg' }]],
  markdown: {
    anchor: { slugify: slugOf },
    // Shiki has no grammar for these; the others are alike.
    languageAlias: { haproxy: 'nginx', abnf: 'ini' },
    // The default colours have too little contrast for small text.
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
  },
  // The start page has no main landmark of its own.
  transformHtml: (html) => html.replace('class="VPContent is-home"', 'role="main" $&'),
  themeConfig: {
    search: { provider: 'local' },
    outline: { level: [2, 3] },
    nav: [
      { text: 'Start', link: '/getting-started' },
      { text: 'Reference', link: '/reference' },
      { text: 'Comparison', link: '/comparison' },
    ],
    sidebar,
    socialLinks: [{ icon: 'github', link: 'https://github.com/wirebeat/wirebeat' }],
  },
});
