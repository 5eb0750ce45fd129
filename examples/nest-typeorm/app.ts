import {
  Body,
  Controller,
  Get,
  type INestApplication,
  Inject,
  Module,
  Post,
  Req,
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import type { Request } from 'express'
import type { SchemaRouter } from 'tenantry'
import { bySubdomain, tenantModule, tenantOf } from 'tenantry/nest'
import { tenantDataSource } from 'tenantry/typeorm'
import { DataSource, EntitySchema } from 'typeorm'

interface Loan {
  readonly id: string
  readonly borrower: string
  readonly amount: string
}

const Loans = new EntitySchema<Loan>({
  name: 'loans',
  columns: {
    id: { type: 'bigint', primary: true, generated: true },
    borrower: { type: 'text' },
    amount: { type: 'numeric' },
  },
})

@Controller('loans')
class LoansController {
  readonly #source: DataSource

  constructor(@Inject(DataSource) source: DataSource) {
    this.#source = source
  }

  @Get()
  async list(@Req() request: Request): Promise<object> {
    const loans = await this.#source
      .getRepository(Loans)
      .find({ select: { borrower: true, amount: true }, order: { id: 'asc' } })
    return { lender: tenantOf(request)?.name, loans }
  }

  @Post()
  async add(@Body() loans: readonly Pick<Loan, 'borrower' | 'amount'>[]): Promise<void> {
    await this.#source.transaction(async (transaction) => {
      for (const loan of loans) await transaction.insert(Loans, loan)
    })
  }
}

/** Each lender's loans, below a host of its own, with queries by TypeORM. */
export async function makeApp(router: SchemaRouter): Promise<INestApplication> {
  // One data source for all tenants: the pool answers for the ambient one.
  const source = tenantDataSource(
    router,
    () => new DataSource({ type: 'postgres', entities: [Loans] }),
  )
  await source.initialize()

  @Module({
    imports: [tenantModule(router, { tenant: bySubdomain({ base: 'localhost' }) })],
    controllers: [LoansController],
    providers: [{ provide: DataSource, useValue: source }],
  })
  class AppModule {}
  return NestFactory.create(AppModule, { logger: false })
}
