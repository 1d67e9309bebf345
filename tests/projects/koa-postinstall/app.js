const Koa = require('koa')
const birds = require('./generated/birds')

const calls = { cuckoo: 'cuckoo', owl: 'hoo', tit: 'teacher teacher' }
const app = new Koa()
app.use(async context => {
  const name = context.path.slice(1)
  if (!name) {
    context.type = 'html'
    context.body = birds({ birds: Object.keys(calls) })
  } else if (name in calls) context.body = { call: calls[name] }
  else context.throw(404, 'never heard')
})
app.listen(process.env.PORT || 3000)
