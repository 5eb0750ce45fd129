import { usageError } from './usage-error.js'

// Only those who are asked load what asks.

/** Whether somebody is there to answer: questions are written to stderr, as stdout may be a file. */
export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY
}

/** Asks for one of several answers. */
export async function askChoice<Answer extends string>(
  message: string,
  choices: Readonly<Record<Answer, string>>,
): Promise<Answer> {
  const { select } = await import('@clack/prompts')
  const options = Object.entries<string>(choices).map(([value, label]) => ({ value, label }))
  const answer = await select({ message, options, output: process.stderr })
  const isAnswer = (given: unknown): given is Answer =>
    typeof given === 'string' && given in choices
  return isAnswer(answer) ? answer : nothingChosen()
}

/** Asks for a text that is not empty. */
export async function askText(message: string): Promise<string> {
  const { text } = await import('@clack/prompts')
  const answer = await text({
    message,
    validate: (given) => (given?.trim() ? undefined : 'Give at least one word.'),
    output: process.stderr,
  })
  return typeof answer === 'string' ? answer.trim() : nothingChosen()
}

/** Asks a question whose answer is no unless somebody says yes. */
export async function askYes(message: string): Promise<boolean> {
  const { confirm } = await import('@clack/prompts')
  return (await confirm({ message, initialValue: false, output: process.stderr })) === true
}

function nothingChosen(): never {
  throw usageError('schema', 'Nothing was chosen, so nothing was done.')
}
