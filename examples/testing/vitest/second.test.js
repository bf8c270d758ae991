import request from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApp } from '../server.js'

let app
beforeAll(async () => {
  app = await createApp()
})
afterAll(() => app.close())

describe('the app, in the second file', () => {
  it('answers supertest', async () => {
    const response = await request(app.server).get('/').expect(200).expect('content-type', /html/)
    expect(response.text).toContain('Tested')
  })

  it('runs pages with code', async () => {
    const response = await request(app.server).get('/time').set('x-name', 'second').expect(200)
    expect(response.text).toContain('second')
  })

  it('runs route handlers, with cookies and forms', async () => {
    await request(app.server)
      .get('/api/hello?name=ann')
      .expect(200, { hello: 'ann' })
      .expect('set-cookie', /visited=yes/)
    await request(app.server).post('/api/hello').type('form').send({ a: '1' }).expect(201, { a: '1' })
  })

  it('renews a page that went stale', async () => {
    const made = async () =>
      /Made (?:<!-- -->)?(\d+)/.exec((await request(app.server).get('/legacy').expect(200)).text)?.[1]
    const first = await made()
    for (let tries = 0; (await made()) === first; tries++) {
      if (tries === 50) throw new Error('It is never renewed.')
      await new Promise(resolve => setTimeout(resolve, 100))
    }
  })

  it('answers fetch on a port', async () => {
    await new Promise(resolve => app.server.listen(0, resolve))
    const origin = `http://localhost:${app.server.address().port}`
    const response = await fetch(`${origin}/api/hello`)
    expect([response.status, await response.json()]).toEqual([200, { hello: 'you' }])
    expect((await fetch(`${origin}/nothing`)).status).toBe(404)
  })
})
