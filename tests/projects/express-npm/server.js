const path = require('path')
const express = require('express')
const morgan = require('morgan')
const { harbours, next } = require('./lib/tides')

const app = express()
app.use(morgan('tiny'))
app.use(express.static(path.join(__dirname, 'public')))

app.get('/harbours', (request, response) => response.json(Object.keys(harbours)))

app.get('/next/:harbour', (request, response) => {
  const found = next(request.params.harbour, Number(request.query.minute) || 0)
  if (found === undefined) return response.status(404).json({ error: 'no such harbour' })
  response.json({ harbour: request.params.harbour, minute: found })
})

app.listen(process.env.PORT || 3000)
