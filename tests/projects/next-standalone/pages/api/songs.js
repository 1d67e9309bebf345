import { songs } from '../../lib/songs'

export default function handler(request, response) {
  const voices = Number(request.query.voices ?? 0)
  response.json(songs.filter(song => !voices || song.voices === voices).map(song => song.title))
}
