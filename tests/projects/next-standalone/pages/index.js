import { songs } from '../lib/songs'

export default function Home({ all }) {
  return (
    <main>
      <h1>The choir sings</h1>
      <ul>{all.map(song => <li key={song.title}>{song.title}</li>)}</ul>
    </main>
  )
}

export async function getServerSideProps() {
  return { props: { all: songs } }
}
