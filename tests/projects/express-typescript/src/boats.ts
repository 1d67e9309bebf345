import { z } from 'zod'

export const Booking = z.object({ crew: z.number().int().max(8, 'no boat is that long'), hours: z.number().positive() })

export const book = ({ crew, hours }: z.infer<typeof Booking>) => ({
  boat: crew > 4 ? 'eight' : crew > 2 ? 'four' : 'double',
  cents: crew * hours * 350
})
