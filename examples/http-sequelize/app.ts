import type { RequestListener } from 'node:http'
import { json } from 'node:stream/consumers'
import { DataTypes, Sequelize } from 'sequelize'
import type { SchemaRouter } from 'tenantry'
import { bySubdomain, serveTenants, tenantOf } from 'tenantry/http'
import { tenantSequelize } from 'tenantry/sequelize'

interface NewLoan {
  readonly borrower: string
  readonly amount: string
}

/** Each lender's loans, below a host of its own, with queries by Sequelize. */
export function makeApp(router: SchemaRouter): RequestListener {
  // One Sequelize for all tenants: the pool answers for the ambient one.
  const sequelize = tenantSequelize(
    router,
    () => new Sequelize({ dialect: 'postgres', logging: false }),
  )
  const Loan = sequelize.define(
    'loans',
    { borrower: DataTypes.TEXT, amount: DataTypes.DECIMAL(12, 2) },
    { timestamps: false },
  )

  return serveTenants(
    router,
    { tenant: bySubdomain({ base: 'localhost' }) },
    async (request, response) => {
      if (request.method === 'POST') {
        const loans = (await json(request)) as readonly NewLoan[]
        await sequelize.transaction(async (transaction) => {
          for (const loan of loans) await Loan.create({ ...loan }, { transaction })
        })
        response.writeHead(201).end()
      } else {
        const loans = await Loan.findAll({ attributes: ['borrower', 'amount'], order: ['id'] })
        response.end(JSON.stringify({ lender: tenantOf(request)?.name, loans }))
      }
    },
  )
}
