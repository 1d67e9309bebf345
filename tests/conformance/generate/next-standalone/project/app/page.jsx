import { motifs } from '../lib/motifs'

export default function Page() {
  return (
    <main>
      <h1>Postcards</h1>
      <ul>
        {motifs.map((motif) => (
          <li key={motif}>{motif}</li>
        ))}
      </ul>
    </main>
  )
}
