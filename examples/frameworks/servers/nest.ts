import 'reflect-metadata'
import { Controller, Get, Module, Post, Query, Session } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import type { NestExpressApplication } from '@nestjs/platform-express'
import type { NextFunction, Request, Response } from 'express'
import session from 'express-session'
import next from 'next'
import { attachSockets } from './sockets.js'

const seen: string[] = []

@Controller()
class OwnController {
  @Get()
  own() {
    return 'own'
  }

  @Get('seen')
  seen() {
    return seen
  }

  @Post('login')
  login(@Session() current: Record<string, unknown>, @Query('name') name: string) {
    current.name = name
    return 'welcome'
  }
}

@Module({ controllers: [OwnController] })
class AppModule {}

const port = Number(process.env.PORT ?? 3000)
const app = next({ dev: process.env.NODE_ENV !== 'production', port })
const handle = app.getRequestHandler()
await app.prepare()

const nest = await NestFactory.create<NestExpressApplication>(AppModule, { logger: ['error', 'warn'] })
nest.use(session({ secret: process.env.SESSION_SECRET ?? 'example', resave: false, saveUninitialized: false }))
nest.use((req: Request, res: Response, done: NextFunction) => {
  res.set('x-before', 'nest')
  res.on('finish', () => seen.push(`${req.method} ${req.originalUrl} ${res.statusCode}`))
  done()
})
// Before Nest adds its body parsers, which it does when it begins to listen.
nest.use((req: Request, res: Response, done: NextFunction) => {
  if (/^\/app(\/|$)/.test(req.path)) handle(req, res)
  else done()
})
await nest.listen(port)
attachSockets(nest.getHttpServer())
console.log(`Listening on http://localhost:${port}`)
