const express = require('express')
const { read } = require('./stations')

const app = express()
app.use(express.text({ type: '*/*' }))
app.get('/', (request, response) => response.json({ parser: 'expat' }))
app.post('/stations', (request, response) => {
  const { names, error } = read(JSON.parse(request.body).xml)
  error ? response.status(400).json({ error }) : response.json(names)
})
app.listen(3000)
