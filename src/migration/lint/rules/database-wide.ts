import { optionIn, lastText } from '../node.js'
import { type Rule, nodeRule } from '../rule.js'
import type { Visit } from '../walk.js'

const DATABASE_WIDE =
  /^(AlterDatabase(Set|RefreshColl)?|AlterSystem|Createdb|Dropdb|CreateTableSpace|DropTableSpace|AlterTableSpaceOptions|AlterTableMoveAll|(Create|Alter)Publication|(Create|Alter|Drop)Subscription|(Create|Alter)EventTrig|(Create|Alter)Fdw|(Create|Alter)ForeignServer|(Create|Alter|Drop)UserMapping|CreateCast|CreatePLang|CreateAm)Stmt$/
const DATABASE_TYPES =
  /^OBJECT_(DATABASE|TABLESPACE|PUBLICATION|EVENT_TRIGGER|FDW|FOREIGN_SERVER|CAST|LANGUAGE)$/
const ROLES = /^(CreateRole|AlterRole|AlterRoleSet|DropRole|GrantRole|ReassignOwned|DropOwned)Stmt$/
const ROLE_SETTINGS = /^(role|session_authorization)$/

/** What belongs to the database or the server and not to a schema. */
export const databaseWide: Rule = nodeRule('database-wide', 'error', ({ kind, node }) =>
  isDatabaseWide(kind, node)
    ? 'This is about the whole database or server, and would run once for each schema. Move it ' +
      'to the migrations of the shared schema, or to the set-up of the database.'
    : undefined,
)

function isDatabaseWide(kind: string, node: Visit['node']): boolean {
  if (DATABASE_WIDE.test(kind)) return true
  if (kind === 'AlterDefaultPrivilegesStmt') return !optionIn(node, 'options', 'schemas')
  const type = node['removeType'] ?? node['renameType'] ?? (kind === 'GrantStmt' && node['objtype'])
  return typeof type === 'string' && DATABASE_TYPES.test(type)
}

/** Roles, which are the server's. */
export const roles: Rule = nodeRule('roles', 'error', ({ kind, node }) => {
  const [setting = ''] = [node['name']].filter((name) => typeof name === 'string')
  const sets = kind === 'VariableSetStmt' && ROLE_SETTINGS.test(setting)
  const renames = kind === 'RenameStmt' && node['renameType'] === 'OBJECT_ROLE'
  if (sets) return 'The rest of the run would have another role. Remove the statement.'
  return ROLES.test(kind) || renames
    ? 'A role is there once on the server, so the second schema would fail or change it again. ' +
        'Move it to the migrations of the shared schema, or to the set-up of the server.'
    : undefined
})

/** Advisory locks, whose keys all schemas share. */
export const advisoryLock: Rule = nodeRule('advisory-lock', 'warning', ({ kind, node }) =>
  kind === 'FuncCall' && /^pg_(try_)?advisory_/.test(lastText(node['funcname']))
    ? 'The key of an advisory lock is the same in all schemas, so they wait for each other. ' +
      'Remove it: each schema is migrated under a lock of its own.'
    : undefined,
)
