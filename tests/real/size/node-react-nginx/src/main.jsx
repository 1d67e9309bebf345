import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import axios from "axios";
import { createRoot } from "react-dom/client";
import { BrowserRouter, Route, Routes } from "react-router-dom";

function Numbers() {
  const { data } = useQuery({ queryKey: ["numbers"], queryFn: () => axios.get("/numbers") });
  return <pre>{JSON.stringify(data?.data)}</pre>;
}

createRoot(document.getElementById("root")).render(
  <QueryClientProvider client={new QueryClient()}>
    <BrowserRouter>
      <Routes>
        <Route path="/" element={<Numbers />} />
      </Routes>
    </BrowserRouter>
  </QueryClientProvider>,
);
