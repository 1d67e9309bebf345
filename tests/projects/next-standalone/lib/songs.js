export const songs = [
  { title: 'Ave verum', voices: 4 },
  { title: 'Canon', voices: 3 }
]
