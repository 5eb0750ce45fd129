import { type CommandNode, places } from '../command-tree.js'
import { quoted } from './quote.js'

/** What zsh reads to complete the command line, with descriptions. */
export function zshCompletion(root: CommandNode): string {
  const known = places(root)
  const paths = known.map(([place]) => place).filter((place) => place !== '')
  const cases = known.map(([place, words]) => {
    const list = words.map(({ text, description }) =>
      quoted(`${text.replaceAll(':', '\\:')}:${description}`),
    )
    return `    ${quoted(place)}) entries=(${list.join(' ')}) ;;`
  })
  return `#compdef tenantry
# zsh completion of tenantry; load it with: source <(tenantry completion zsh)
_tenantry() {
  local at='' word
  local -a entries commands flags
  for word in "\${(@)words[2,CURRENT-1]}"; do
    [[ $word == -- ]] && return
    case "\${at:+$at }$word" in
    ${paths.map(quoted).join('|')}) at="\${at:+$at }$word" ;;
    esac
  done
  case "$at" in
${cases.join('\n')}
  esac
  # Flags are offered only behind a dash, and commands only without one.
  commands=("\${(@)entries:#-*}")
  flags=("\${(@M)entries:#-*}")
  _describe command commands
  _describe -o flag flags
  _files
}
compdef _tenantry tenantry
`
}
