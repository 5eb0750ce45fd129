import { access } from 'node:fs/promises'
import { type Browser, chromium } from 'playwright-core'

const CHROMIUM = process.env['TENANTRY_CHROMIUM'] ?? '/usr/bin/chromium'

/** Whether this machine has a browser; says on the console why tests are left out. */
export const HAS_BROWSER: boolean = await access(CHROMIUM).then(
  () => true,
  () => {
    console.log(`The status page is not opened in a browser: there is no ${CHROMIUM}`)
    return false
  },
)

/** Starts the browser; root may not have its sandbox. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
}
