import Koa from 'koa'
import { hops, recipe } from '@brewery/recipes'

const app = new Koa()
app.use(async context => {
  const [, kind, name] = context.path.split('/')
  if (kind === 'hops') context.body = hops()
  else if (kind === 'recipes' && recipe(name)) context.body = recipe(name)
  else context.throw(404, 'no such beer')
})
app.listen(3000)
