import Fastify from 'fastify'
import { beaufort } from '@posts/wind'

const app = Fastify()

app.get<{ Params: { speed: string } }>('/wind/:speed', async (request) => ({ force: beaufort(Number(request.params.speed)) }))

app.listen({ port: Number(process.env.PORT || 3000), host: '0.0.0.0' })
