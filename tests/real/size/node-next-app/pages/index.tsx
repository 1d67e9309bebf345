import useSWR from "swr";

export default function Home() {
  const { data } = useSWR("/api/posts", (url: string) => fetch(url).then((answer) => answer.json()));
  return <main>{data ? data.length : "loading"}</main>;
}
