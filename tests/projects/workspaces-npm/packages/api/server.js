const express = require('express')
const { find, rooms } = require('@museum/catalog')

const app = express()
app.get('/rooms', (request, response) => response.json(rooms()))
app.get('/pictures/:name', (request, response) => {
  const picture = find(request.params.name)
  picture ? response.json(picture) : response.status(404).json({ error: 'not in this museum' })
})
app.listen(process.env.PORT || 4000)
