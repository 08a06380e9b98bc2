/*
 * What typedoc does here besides its options say: how pages are called, where they
 * stand, and the sources that the reference leads to.
 */
import * as fs from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { Converter } from 'typedoc'

/** Where a page stands in the contents, by where it is kept. */
const GROUPS = [
  [/^docs\/library\//, 'Write a plugin'],
  [/^examples\//, 'Examples'],
  [/^(?:docs\/|CHANGELOG|SECURITY)/, 'Use Stowage'],
  [/^/, 'Inside'],
]

/** @param {import('typedoc').Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, page) => {
    page.frontmatter.group = GROUPS.find(([place]) => place.test(page.name))[1]
    page.name = takeTitle(page)
  })
  app.converter.on(Converter.EVENT_END, ({ project }) => {
    for (const thing of Object.values(project.reflections)) {
      thing.sources = thing.sources?.filter(isOurs)
    }
  })
  app.renderer.postRenderAsyncJobs.push(({ project, outputDirectory }) =>
    writeSources(project, outputDirectory),
  )
}

/** The first heading, which is shown once: above the page. */
function takeTitle(page) {
  const [first] = page.content
  const [heading, title] = /^# (.+)\n/.exec(first.text) ?? []
  if (title === undefined) throw new Error(`"${page.name}" has no title`)
  first.text = first.text.slice(heading.length)
  return title.replaceAll('`', '')
}

/** What others have defined is not led to. */
function isOurs({ fileName }) {
  return fileName.startsWith('src/')
}

/** A page for each file that something is defined in, with its lines to link to. */
async function writeSources(project, site) {
  const files = Object.values(project.reflections)
    .flatMap(({ sources = [] }) => sources)
    .map(({ fileName, fullFileName }) => [fileName, fullFileName])
  for (const [name, path] of new Map(files)) {
    const page = join(site, 'source', `${name}.html`)
    const style = relative(dirname(page), join(site, 'assets', 'style.css'))
    const text = await fs.readFile(path, 'utf8')
    await fs.mkdir(dirname(page), { recursive: true })
    await fs.writeFile(page, sourcePage({ name, style, text }))
  }
}

function sourcePage({ name, style, text }) {
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line, index) => `<span id="L${index + 1}">${escaped(line)}</span>\n`)
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>${name}</title>
<link rel="stylesheet" href="${style}"></head>
<body><div class="container container-main"><h1>${name}</h1>
<pre><code>${lines.join('')}</code></pre></div></body></html>
`
}

function escaped(text) {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
}
