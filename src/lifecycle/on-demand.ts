import { Readable } from 'node:stream'
import type * as Audit from './audit/audit.js'
import type * as Backup from './backup/backup.js'
import type * as Clone from './clone/clone.js'
import type * as CreateMany from './create/create-many.js'
import type * as Create from './create/create.js'
import type * as Delete from './delete.js'
import type * as Purge from './purge/purge.js'
import type * as Rename from './rename/rename.js'
import type * as Restore from './restore/restore.js'
import type * as Update from './update.js'

// Most processes of a service serve tenants and never make, copy or drop one. What does that is large,
// so each part of it is loaded by the first call that needs it.

export const createTenant: typeof Create.createTenant = async (...given) =>
  (await import('./create/create.js')).createTenant(...given)

export const createTenants: typeof CreateMany.createTenants = async (...given) =>
  (await import('./create/create-many.js')).createTenants(...given)

export const updateTenant: typeof Update.updateTenant = async (...given) =>
  (await import('./update.js')).updateTenant(...given)

export const changeStatus: typeof Delete.changeStatus = async (...given) =>
  (await import('./delete.js')).changeStatus(...given)

export const activateTenant: typeof Delete.activateTenant = async (...given) =>
  (await import('./delete.js')).activateTenant(...given)

export const deleteTenant: typeof Delete.deleteTenant = async (...given) =>
  (await import('./delete.js')).deleteTenant(...given)

export const undeleteTenant: typeof Delete.undeleteTenant = async (...given) =>
  (await import('./delete.js')).undeleteTenant(...given)

export const purgeTenant: typeof Purge.purgeTenant = async (...given) =>
  (await import('./purge/purge.js')).purgeTenant(...given)

export const renameTenant: typeof Rename.renameTenant = async (...given) =>
  (await import('./rename/rename.js')).renameTenant(...given)

export const cloneTenant: typeof Clone.cloneTenant = async (...given) =>
  (await import('./clone/clone.js')).cloneTenant(...given)

export const auditTenants: typeof Audit.auditTenants = async (...given) =>
  (await import('./audit/audit.js')).auditTenants(...given)

export const backupTenant: typeof Backup.backupTenant = async (...given) =>
  (await import('./backup/backup.js')).backupTenant(...given)

export const restoreTenant: typeof Restore.restoreTenant = async (...given) => {
  const [, source] = given
  // A stream may fail before there is somebody who reads it, who then finds that out.
  if (typeof source !== 'string' && source instanceof Readable) source.once('error', () => {})
  return (await import('./restore/restore.js')).restoreTenant(...given)
}
