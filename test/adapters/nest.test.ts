import type { Server } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import {
  type ArgumentsHost,
  Catch,
  Controller,
  Get,
  HttpCode,
  type INestApplication,
  Inject,
  Module,
  Post,
  Req,
  Res,
  UseGuards,
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import type { Request, Response } from 'express'
import { SchemaRouter } from 'tenantry'
import {
  TENANT_ROUTER,
  TenantGuard,
  byClaim,
  byHeader,
  placeOf,
  serveTenants,
  tenantModule,
  tenantOf,
} from 'tenantry/nest'
import { type AdapterService, type StartedService, testFrameworkAdapter } from 'tenantry/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { listen } from './listen.js'

const database = useDatabase()
const router = new SchemaRouter({ pool: database.pool({ max: 5 }) })

/** Decorates a method without the syntax, which this project's compiler does not erase. */
function route(type: { prototype: object }, method: string, decorators: MethodDecorator[]): void {
  const descriptor = Object.getOwnPropertyDescriptor(type.prototype, method)
  for (const decorate of decorators) decorate(type.prototype, method, descriptor ?? {})
}

function take(type: { prototype: object }, method: string): void {
  Req()(type.prototype, method, 0)
  Res()(type.prototype, method, 1)
}

/** A controller with the routes of a service under test. */
function controllerOf(service: AdapterService): new () => object {
  class ServiceController {
    async get(request: Request, response: Response): Promise<void> {
      const { url } = request
      response.json(await service.get({ url, tenant: tenantOf(request) }))
    }

    async json(request: Request, response: Response): Promise<void> {
      response.json(await service.json(request.body))
    }

    async upload(request: Request, response: Response): Promise<void> {
      response.json(await service.upload(request))
    }

    async download(_request: Request, response: Response): Promise<void> {
      await pipeline(Readable.from(service.download()), response).catch(() => {})
    }
  }
  Controller()(ServiceController)
  route(ServiceController, 'get', [Get('get/*path')])
  route(ServiceController, 'json', [Post('json'), HttpCode(200)])
  route(ServiceController, 'upload', [Post('upload'), HttpCode(200)])
  route(ServiceController, 'download', [Get('download')])
  for (const method of ['get', 'json', 'upload', 'download']) take(ServiceController, method)
  return ServiceController
}

/** A filter as which the service's own error handler runs. */
function filterOf(service: AdapterService): { catch(error: unknown, host: ArgumentsHost): void } {
  class ServiceFilter {
    catch(error: unknown, host: ArgumentsHost): void {
      const response = host.switchToHttp().getResponse<Response>()
      // Nest itself tells by such an error that no route was found.
      if (error instanceof Error && error.name === 'NotFoundException') response.sendStatus(404)
      else response.status(500).json(service.failed(error))
    }
  }
  Catch()(ServiceFilter)
  return new ServiceFilter()
}

async function open(
  controllers: (new () => object)[],
  imports: ReturnType<typeof tenantModule>[],
): Promise<INestApplication> {
  class AppModule {
    readonly name = 'app'
  }
  Module({ controllers, imports })(AppModule)
  return NestFactory.create(AppModule, { logger: false })
}

async function run(app: INestApplication): Promise<StartedService> {
  await app.init()
  const { url, close } = await listen(app.getHttpServer() as Server)
  return {
    url,
    close: async () => {
      await close()
      await app.close()
    },
  }
}

describe('tenantModule in Nest', () => {
  testFrameworkAdapter({
    test: it,
    router: () => router,
    start: async (service) => {
      const imports = [tenantModule(service.router, service.options)]
      const app = await open([controllerOf(service)], imports)
      app.useGlobalFilters(filterOf(service))
      return run(app)
    },
  })

  const slug = 'lender'
  beforeAll(() => router.tenants.create({ slug, domains: ['lender.test'] }))

  it('provides the router to whoever injects it', async () => {
    class Loans {
      readonly router: SchemaRouter

      constructor(injected: SchemaRouter) {
        this.router = injected
      }

      find(): unknown {
        return { slug: this.router.current().slug }
      }
    }
    Inject(TENANT_ROUTER)(Loans, undefined, 0)
    Controller('loans')(Loans)
    route(Loans, 'find', [Get()])
    const tenant = byHeader('x-tenant')
    const app = await open(
      [Loans as unknown as new () => object],
      [tenantModule(router, { tenant })],
    )
    const { url, close } = await run(app)
    const answer = await fetch(`${url}/loans`, { headers: { 'x-tenant': slug } })
    expect(await answer.json()).toEqual({ slug })
    await close()
  })
})

describe('TenantGuard', () => {
  it('lets requests of tenants through, and answers others with 400', async () => {
    class Loans {
      find(request: Request): unknown {
        return { place: placeOf(request)?.kind }
      }
    }
    Controller('loans')(Loans)
    UseGuards(TenantGuard)(Loans)
    route(Loans, 'find', [Get()])
    Req()(Loans.prototype, 'find', 0)
    const app = await open([Loans], [])
    const claim = byClaim((request: Request) => request.get('x-claim'))
    app.use(serveTenants(router, { tenant: claim, missing: 'pass' }))
    const { url, close } = await run(app)
    const served = await fetch(`${url}/loans`, { headers: { 'x-claim': 'lender' } })
    expect([served.status, await served.json()]).toEqual([200, { place: 'tenant' }])
    const refused = await fetch(`${url}/loans`)
    expect(refused.status).toBe(400)
    expect(await refused.json()).toMatchObject({ statusCode: 400 })
    await close()
  })
})
