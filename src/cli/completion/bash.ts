import { type CommandNode, places } from '../command-tree.js'
import { quoted } from './quote.js'

/** What bash reads to complete the command line. */
export function bashCompletion(root: CommandNode): string {
  const known = places(root)
  const paths = known.map(([place]) => place).filter((place) => place !== '')
  const cases = known.map(([place, words]) => {
    const list = words.map(({ text }) => text).join(' ')
    return `    ${quoted(place)}) words=${quoted(list)} ;;`
  })
  return `# bash completion of tenantry; load it with: source <(tenantry completion bash)
_tenantry() {
  local at='' word words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $word == -- ]] && return
    case "\${at:+$at }$word" in
    ${paths.map(quoted).join('|')}) at="\${at:+$at }$word" ;;
    esac
  done
  case "$at" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _tenantry tenantry
`
}
