import { fileURLToPath } from 'node:url'
import fastify from 'fastify'
import files from '@fastify/static'
import { bake, kinds } from './oven.js'

const app = fastify({ logger: true })
app.register(files, { root: fileURLToPath(new URL('../public', import.meta.url)) })
app.get('/kinds', async () => kinds())
app.get('/bake/:kind', async (request, reply) => {
  const loaf = bake(request.params.kind)
  return loaf ?? reply.code(404).send({ error: 'not on the list' })
})

await app.listen({ port: Number(process.env.PORT ?? 3000), host: '0.0.0.0' })
