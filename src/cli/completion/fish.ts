import { type CommandNode, type Word, places } from '../command-tree.js'
import { quoted } from './quote.js'

/** What fish reads to complete the command line, with descriptions. */
export function fishCompletion(root: CommandNode): string {
  const known = places(root)
  const paths = known.map(([place]) => place).filter((place) => place !== '')
  const lines = known.flatMap(([place, words]) => words.map((word) => lineOf(place, word)))
  return `# fish completion of tenantry; load it with: tenantry completion fish | source
function __tenantry_at
    set -l at ''
    set -l words (commandline -opc)
    contains -- -- $words; and return 1
    for word in $words[2..-1]
        switch (string trim -- "$at $word")
            case ${paths.map(fishQuoted).join(' ')}
                set at (string trim -- "$at $word")
        end
    end
    test "$at" = "$argv[1]"
end
${lines.join('\n')}
`
}

function lineOf(place: string, { text, description }: Word): string {
  const condition = fishQuoted(`__tenantry_at ${quoted(place)}`)
  return `complete -c tenantry -n ${condition} -a ${fishQuoted(text)} -d ${fishQuoted(description)}`
}

/** In fish a backslash escapes an apostrophe between apostrophes as well. */
function fishQuoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
