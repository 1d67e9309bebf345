import fastify from 'fastify'
import { ripe } from './trees.mjs'

const app = fastify()
app.get('/ripe/:month', async (request, reply) => {
  const found = ripe(request.params.month)
  return found.length ? found : reply.code(404).send({ error: 'nothing is ripe' })
})
await app.listen({ port: 3000, host: '0.0.0.0' })
