// All up to the last @ of a word is taken, because a password may itself hold an unescaped @ or /.
const USER_INFO = /(\w+:\/\/[^\s:@/]*):\S*@/g
const PARAMETER = /(\b(?:ssl)?password=)[^&\s'"]+/gi

/** Hides the passwords of URLs and connection strings in a text that people will see. */
export function maskPasswords(text: string): string {
  return text.replaceAll(USER_INFO, '$1:***@').replaceAll(PARAMETER, '$1***')
}
