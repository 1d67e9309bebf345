const Koa = require('koa')
const { goes } = require('./lib/compost')

const app = new Koa()

app.use(async (context) => {
  const thing = context.path.slice(1)
  if (thing === '') {
    context.body = 'Compost'
    return
  }
  const answer = goes(thing)
  if (answer === undefined) {
    context.status = 404
    context.body = { error: 'never heard of it' }
    return
  }
  context.body = { thing, compost: answer }
})

app.listen(process.env.PORT || 3000)
