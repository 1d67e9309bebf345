import express from 'express'
import { readFileSync } from 'node:fs'
import { Booking, book } from './boats'

const app = express()
app.use(express.json())

app.get('/rules', (_request, response) => {
  response.type('text/plain').send(readFileSync('assets/rules.txt', 'utf8'))
})
app.post('/bookings', (request, response) => {
  const booking = Booking.safeParse(request.body)
  if (!booking.success) {
    response.status(400).json({ error: booking.error.issues[0].message })
    return
  }
  response.status(201).json(book(booking.data))
})

const port = Number(process.env.PORT ?? 3000)
app.listen(port, () => console.log(`listening on ${port}`))
