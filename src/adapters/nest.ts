/**
 * Middleware and an interceptor for Nest.
 *
 * @module tenantry/nest
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { nextOf } from './node/next.js'
import type { ServingRouter } from './request/found.js'
import type { ServeOptions } from './request/options.js'
import { tenantAt } from './request/place.js'
import { refusal } from './request/refusal.js'

export { placeOf, tenantOf } from './node/place-of.js'
export * from './request/exports.js'

/**
 * The token of the router in Nest's container: `@Inject(TENANT_ROUTER)`, or in a provider's `inject`.
 *
 * @example
 * import type { SchemaRouter } from 'tenantry'
 * import { TENANT_ROUTER } from 'tenantry/nest'
 *
 * const countLoans = {
 *   provide: 'COUNT_LOANS',
 *   inject: [TENANT_ROUTER],
 *   useFactory: (router: SchemaRouter) => () => router.pool.query('select count(*) from loans'),
 * }
 */
export const TENANT_ROUTER = 'TENANT_ROUTER'

/** A middleware for Nest on express: for `app.use`. */
export type NestMiddleware<Request extends IncomingMessage = IncomingMessage> = (
  request: Request,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

/** What Nest is given a module as. */
export interface TenantDynamicModule {
  readonly module: new () => object
  readonly global: boolean
  readonly providers: { readonly provide: string; readonly useValue: unknown }[]
  readonly exports: string[]
}

/** What the module needs of the consumer that Nest hands it. */
interface MiddlewareConsumerLike {
  getHttpAdapter(): { use(middleware: unknown): unknown }
}

/**
 * Serves each request as its tenant: `router.current()`, `router.pool` and ORMs on it answer for the
 * tenant in guards, interceptors, pipes, controllers and exception filters.
 *
 * `app.use(serveTenants(router))` does without the module. Nest on fastify takes the plugin of
 * `tenantry/fastify` instead.
 *
 * @throws `OPTIONS_INVALID`
 * @example
 * import { NestFactory } from '@nestjs/core'
 * import { SchemaRouter } from 'tenantry'
 * import { serveTenants } from 'tenantry/nest'
 *
 * class AppModule {}
 *
 * const router = new SchemaRouter({ connectionString: 'postgres://localhost/app' })
 * const app = await NestFactory.create(AppModule)
 * app.use(serveTenants(router))
 * await app.listen(3000)
 */
export function serveTenants<Request extends IncomingMessage = IncomingMessage>(
  router: ServingRouter<object>,
  options: ServeOptions<Request> = {},
): NestMiddleware<Request> {
  return nextOf(router, options)
}

/**
 * A global module that serves each request as its tenant, and provides the router as
 * {@link TENANT_ROUTER}. Its middleware runs for every route; the framework's body parsers before it.
 *
 * @throws `OPTIONS_INVALID`
 * @example
 * import { Module } from '@nestjs/common'
 * import { SchemaRouter } from 'tenantry'
 * import { tenantModule } from 'tenantry/nest'
 *
 * const router = new SchemaRouter({ connectionString: 'postgres://localhost/app' })
 *
 * export class AppModule {}
 * // Or as a decorator: @Module({ imports: [tenantModule(router)] })
 * Module({ imports: [tenantModule(router)] })(AppModule)
 */
export function tenantModule<Request extends IncomingMessage = IncomingMessage>(
  router: ServingRouter<object>,
  options: ServeOptions<Request> = {},
): TenantDynamicModule {
  const middleware = serveTenants(router, options)
  // Nest calls `configure` of a module's instance, and knows modules by their classes.
  class TenantModule {
    configure(consumer: MiddlewareConsumerLike): void {
      // `consumer.apply` mounts a middleware on a path, below which it cannot change the URL.
      consumer.getHttpAdapter().use(middleware)
    }
  }
  return {
    module: TenantModule,
    global: true,
    providers: [{ provide: TENANT_ROUTER, useValue: router }],
    exports: [TENANT_ROUTER],
  }
}

/**
 * A guard for routes that need a tenant, where `missing` lets requests without one through. It
 * answers those with the status 400.
 *
 * @example
 * import { Controller, UseGuards } from '@nestjs/common'
 * import { TenantGuard } from 'tenantry/nest'
 *
 * export class LoansController {}
 * // Or as decorators: @Controller('loans') @UseGuards(TenantGuard)
 * Controller('loans')(LoansController)
 * UseGuards(TenantGuard)(LoansController)
 */
export class TenantGuard {
  /** @throws `TENANT_UNRESOLVED`, whose status Nest answers with */
  canActivate(context: { switchToHttp(): { getRequest(): object } }): boolean {
    if (tenantAt(context.switchToHttp().getRequest()) === undefined) {
      throw refusal('TENANT_UNRESOLVED')
    }
    return true
  }
}
