import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { explainArchive, restoreDiffers } from '../../../src/lifecycle/restore/archive-error.js'

describe('an archive that cannot be read', () => {
  // As root, every file can be read.
  it.each(['EACCES', 'EPERM'])('for want of a right, %s, has the path and what to do', (code) => {
    const cause = Object.assign(new Error(`${code}: not permitted`), { code })
    const error = explainArchive(cause, 'acme.tenantry.gz')
    expect(error).toMatchObject({ code: 'ARCHIVE_INVALID', cause })
    expect(String(error)).toContain(resolve('acme.tenantry.gz'))
    expect(String(error)).toMatch(/may not be read\. .* Let the user of this process read it\.$/)
  })

  it.each([new Error('no code'), Object.assign(new Error('full'), { code: 'ENOSPC' }), 'thrown'])(
    'for another reason is told as it is: %s',
    (error) => expect(explainArchive(error, undefined)).toBe(error),
  )
})

describe('a schema that did not become what was archived', () => {
  it('is called by its tenant, or else by its name', () => {
    const differences = ['- table loans']
    const schema = 'main'
    expect(restoreDiffers({ schema }, 'it differs', differences)).toMatchObject({
      code: 'RESTORE_DIFFERS',
      candidates: differences,
      message: expect.stringMatching(
        /^Schema "main" was not restored, because it differs: - table/,
      ),
    })
    expect(restoreDiffers({ tenant: 'acme', schema }, 'it differs', differences).message).toMatch(
      /^Tenant "acme" was not restored/,
    )
  })
})
